#pragma once
// Mean and standard deviation (of the population) of every channel over all pixels of a split. Private to the
// data room.

#include <cstdint>
#include <span>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/samples/layout.hpp"

namespace convoy::data {

/// Sums over uint8 images: exact integers, so the order of the samples does not change any bit.
class ByteSums {
 public:
  explicit ByteSums(const Shape& shape);
  /// Images [n][C][H][W].
  void add(std::span<const std::uint8_t> images);
  [[nodiscard]] Statistics statistics() const;
  /// The sums, for add_numbers() of a ByteSums of the same shape.
  [[nodiscard]] std::vector<std::uint64_t> numbers() const;
  void add_numbers(std::span<const std::uint64_t> numbers);

 private:
  Shape shape_;
  std::uint64_t pixels_ = 0;  ///< per channel
  std::vector<std::uint64_t> sum_;
  std::vector<std::uint64_t> sum_of_squares_;
};

/// Sums over float images, in double, in the given order. Subtracts each channel's first pixel, to avoid
/// cancellation if the mean is large and the deviation small.
class FloatSums {
 public:
  explicit FloatSums(const Shape& shape);
  /// Threads change no bit.
  void add(std::span<const float> images, int threads = 1);
  [[nodiscard]] Statistics statistics() const;

 private:
  Shape shape_;
  double pixels_ = 0;
  std::vector<double> origin_;
  std::vector<double> sum_;
  std::vector<double> sum_of_squares_;
};

}  // namespace convoy::data
