#pragma once
// Mean and standard deviation (of the population) of every channel over all pixels of a split. Private to the
// data room.

#include <array>
#include <cstddef>
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

/// Sums over float images, in double, each channel in chains of additions by image and pixel: the order of
/// the images decides the bits, not how many come at a time. Subtracts each channel's first pixel, to avoid
/// cancellation if the mean is large and the deviation small.
class FloatSums {
 public:
  explicit FloatSums(const Shape& shape);
  /// Threads change no bit.
  void add(std::span<const float> images, int threads = 1);
  [[nodiscard]] Statistics statistics() const;

 private:
  static constexpr std::size_t kPixels = 8;  ///< chains of an image's pixels, for vectors
  static constexpr std::size_t kImages = 8;  ///< chains of images, for threads
  struct Chains {
    std::array<double, kPixels> sum{};
    std::array<double, kPixels> sum_of_squares{};
    void add(std::span<const float> plane, double origin);
  };

  Shape shape_;
  std::size_t images_ = 0;
  std::vector<double> origin_;
  std::vector<Chains> chains_;  ///< [channel][kImages]
};

}  // namespace convoy::data
