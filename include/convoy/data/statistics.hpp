#pragma once
// Mean and standard deviation of every channel, over all pixels of a split (population). Private to the data
// room.

#include <cstdint>
#include <span>
#include <vector>

#include "convoy/core/shape.hpp"

namespace convoy::data {

/// Of images as the network sees them before normalisation: uint8 divided by 255.
struct Statistics {
  std::vector<double> mean;  ///< [C]
  std::vector<double> std;   ///< [C]
};

/// Sums over uint8 images: exact integers, so the order of the samples cannot decide a bit.
class ByteSums {
 public:
  explicit ByteSums(const Shape& shape);
  /// Images [n][C][H][W].
  void add(std::span<const std::uint8_t> images);
  [[nodiscard]] Statistics statistics() const;
  /// What other sums of the same shape take in by add_numbers().
  [[nodiscard]] std::vector<std::uint64_t> numbers() const;
  void add_numbers(std::span<const std::uint64_t> numbers);

 private:
  Shape shape_;
  std::uint64_t pixels_ = 0;  ///< of one channel
  std::vector<std::uint64_t> sum_;
  std::vector<std::uint64_t> sum_of_squares_;
};

/// Sums over float images, in double, in the order given; each channel's first pixel is taken off first, so
/// that a large mean does not swallow a small deviation.
class FloatSums {
 public:
  explicit FloatSums(const Shape& shape);
  void add(std::span<const float> images);
  [[nodiscard]] Statistics statistics() const;

 private:
  Shape shape_;
  double pixels_ = 0;
  std::vector<double> origin_;
  std::vector<double> sum_;
  std::vector<double> sum_of_squares_;
};

}  // namespace convoy::data
