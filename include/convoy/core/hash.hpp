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

/// Checksum of one piece.
[[nodiscard]] Digest hash(std::span<const std::byte> bytes);
[[nodiscard]] Digest hash(std::string_view text);

}  // namespace convoy
