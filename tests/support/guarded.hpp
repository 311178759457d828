#pragma once
// A buffer that shows the writes of a function: it is filled with poison, to find unassigned elements, and
// has guard zones on both sides, to find writes out of bounds.

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "convoy/core/aligned.hpp"

namespace convoy::test {

template <class T>
class Guarded {
 public:
  /// `offset` elements of misalignment, for functions that take flat vectors of any alignment.
  explicit Guarded(std::int64_t size, std::int64_t offset = 0)
      : size_(size), offset_(offset), memory_(size + 2 * kGuard) {
    for (std::int64_t i = 0; i < memory_.size(); ++i) memory_[i] = poison();
  }

  [[nodiscard]] T* data() { return memory_.data() + kGuard + offset_; }
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::vector<T> values() { return std::vector<T>(data(), data() + size_); }

  /// True if nothing was written before or after the buffer.
  [[nodiscard]] bool guards_untouched() const {
    const T expected = poison();
    for (std::int64_t i = 0; i < memory_.size(); ++i) {
      if (i >= kGuard + offset_ && i < kGuard + offset_ + size_) continue;
      if (std::memcmp(&memory_[i], &expected, sizeof(T)) != 0) return false;
    }
    return true;
  }

 private:
  static constexpr std::int64_t kGuard = 64;

  /// NaN, or for integers a number that is not an index.
  static T poison() {
    if constexpr (std::numeric_limits<T>::has_quiet_NaN) {
      return std::numeric_limits<T>::quiet_NaN();
    } else {
      return std::numeric_limits<T>::min();
    }
  }

  std::int64_t size_;
  std::int64_t offset_;
  AlignedBuffer<T> memory_;
};

}  // namespace convoy::test
