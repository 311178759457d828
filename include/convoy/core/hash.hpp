#pragma once
// XXH3 128-bit checksums (libxxhash) of files, parameters and configurations.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace convoy {

/// A 128-bit checksum.
struct Digest {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const Digest&, const Digest&) = default;
};

/// 32 lower-case hex digits, as `xxh128sum` prints them.
[[nodiscard]] std::string to_hex(const Digest& digest);

/// Checksum of bytes given in pieces; equals the checksum of the joined pieces.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  /// Starts a new checksum.
  void reset();
  void update(const void* data, std::size_t bytes);
  void update(std::string_view text) { update(text.data(), text.size()); }
  [[nodiscard]] Digest digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A number for a value and its place. Their sum over a vector (modulo 2⁶⁴) is a hash of the vector that
/// parts of it, on different threads or ranks, add up to. One changed value always changes the sum.
[[nodiscard]] constexpr std::uint64_t hash_at(std::uint64_t value, std::uint64_t place) {
  // SplitMix64's finaliser (Steele et al. 2014) of the place, made odd: no two values have the same product.
  std::uint64_t factor = (place + 1) * 0x9E3779B97F4A7C15;
  factor = (factor ^ factor >> 30) * 0xBF58476D1CE4E5B9;
  factor = (factor ^ factor >> 27) * 0x94D049BB133111EB;
  return (value + 0x9E3779B97F4A7C15) * ((factor ^ factor >> 31) | 1);
}
/// The sum over the bits of `values`, which lie from place `first` on.
[[nodiscard]] std::uint64_t sum_of_hashes(std::span<const float> values, std::uint64_t first);

/// Checksum of one piece.
[[nodiscard]] Digest hash(std::span<const std::byte> bytes);
[[nodiscard]] Digest hash(std::string_view text);

}  // namespace convoy
