#include "convoy/core/hash.hpp"

#include <xxhash.h>

#include <bit>
#include <new>

namespace convoy {

struct Hasher::State {
  XXH3_state_t* xxh = XXH3_createState();
  State() {
    if (xxh == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(xxh);
  }
  ~State() { XXH3_freeState(xxh); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::reset() {
  XXH3_128bits_reset(state_->xxh);
}

void Hasher::update(const void* data, std::size_t bytes) {
  if (bytes > 0) XXH3_128bits_update(state_->xxh, data, bytes);
}

Digest Hasher::digest() const {
  const XXH128_hash_t sum = XXH3_128bits_digest(state_->xxh);
  return {sum.high64, sum.low64};
}

std::uint64_t sum_of_hashes(std::span<const float> values, std::uint64_t first) {
  std::uint64_t sum = 0;
  for (const float value : values) sum += hash_at(std::bit_cast<std::uint32_t>(value), first++);
  return sum;
}

Digest hash(std::span<const std::byte> bytes) {
  const XXH128_hash_t sum = XXH3_128bits(bytes.data(), bytes.size());
  return {sum.high64, sum.low64};
}

Digest hash(std::string_view text) {
  return hash(std::as_bytes(std::span(text)));
}

std::string to_hex(const Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint64_t half : {digest.high, digest.low})
    for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[half >> shift & 0xF];
  return text;
}

}  // namespace convoy
