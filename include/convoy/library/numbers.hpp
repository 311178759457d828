#pragma once
// A view of numbers that a program has in memory, of one of the types that images, labels and targets may
// have.

#include <cstdint>
#include <ranges>
#include <type_traits>

namespace convoy {

enum class NumberType { kUint8, kInt32, kInt64, kFloat, kDouble };

/// Bytes of one number.
[[nodiscard]] std::int64_t bytes_of(NumberType type);

/// Does not own the numbers: they must outlive the call that takes the view.
class Numbers {
 public:
  Numbers(NumberType type, const void* data, std::int64_t size) : type_(type), data_(data), size_(size) {}
  /// Of a vector, array or span of std::uint8_t, std::int32_t, std::int64_t, float or double.
  template <std::ranges::contiguous_range Range>
  // NOLINTNEXTLINE(google-explicit-constructor): calls name the numbers alone
  Numbers(const Range& range)
      : Numbers(type_of<std::ranges::range_value_t<Range>>(), std::ranges::data(range),
                static_cast<std::int64_t>(std::ranges::size(range))) {}

  [[nodiscard]] NumberType type() const { return type_; }
  [[nodiscard]] const void* data() const { return data_; }
  [[nodiscard]] std::int64_t size() const { return size_; }
  /// Precondition: type() is T's.
  template <class T>
  [[nodiscard]] const T* as() const {
    return static_cast<const T*>(data_);
  }

  template <class T>
  [[nodiscard]] static constexpr NumberType type_of() {
    static_assert(std::is_same_v<T, std::uint8_t> || std::is_same_v<T, std::int32_t> ||
                      std::is_same_v<T, std::int64_t> || std::is_same_v<T, float> ||
                      std::is_same_v<T, double>,
                  "numbers are uint8_t, int32_t, int64_t, float or double");
    if (std::is_same_v<T, std::uint8_t>) return NumberType::kUint8;
    if (std::is_same_v<T, std::int32_t>) return NumberType::kInt32;
    if (std::is_same_v<T, std::int64_t>) return NumberType::kInt64;
    return std::is_same_v<T, float> ? NumberType::kFloat : NumberType::kDouble;
  }

 private:
  NumberType type_;
  const void* data_;
  std::int64_t size_;
};

}  // namespace convoy
