#pragma once
// Random changes of training images: what is drawn is a pure function of (seed, epoch, sample), so that it
// depends neither on ranks and threads nor on where a run was interrupted. Split::load applies it; images
// are never changed where they are kept.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "convoy/core/shape.hpp"
#include "convoy/core/team.hpp"

namespace convoy::data {

/// data.augment. Applied in this order; normalisation comes between contrast and cutout.
struct Augmentation {
  /// A window of the image's size, up to so many pixels off in each direction; beyond the image lie zeros
  /// (black, before normalisation).
  std::int64_t crop = 0;
  /// Left and right changed over, every other time.
  bool flips = false;
  /// Pixels times a factor from [max(0, 1 − b), 1 + b].
  double brightness = 0;
  /// Pixels' distance from the image's mean grey times a factor from [max(0, 1 − c), 1 + c]. Grey is
  /// 0.299 R + 0.587 G + 0.114 B of three channels, their mean of any other number.
  double contrast = 0;
  /// A square of so many pixels a side, around any pixel of the image, cut off at its border, set to zero
  /// after normalisation (DeVries & Taylor 2017).
  std::int64_t cutout = 0;

  [[nodiscard]] bool is_none() const {
    return crop == 0 && !flips && brightness == 0 && contrast == 0 && cutout == 0;
  }
  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

/// From "none", or words like "crop=4 flip=horizontal brightness=0.2 contrast=0.2 cutout=8"; nothing where
/// the text is no such thing.
[[nodiscard]] std::optional<Augmentation> parse_augmentation(std::string_view text);
/// The text that means the same, in the order above.
[[nodiscard]] std::string text_of(const Augmentation& augmentation);
/// Throws ConfigError where images of `shape` are too small for it.
void require_fits(const Augmentation& augmentation, const Shape& shape);

/// What is done to one image: dst(y, x) = src(y + down, x' + right), x' = W − 1 − x where it is flipped.
struct ImageChange {
  std::int64_t down = 0;
  std::int64_t right = 0;
  bool is_flipped = false;
  double brightness = 1;
  double contrast = 1;
  Range hole_rows{};  ///< of the result; empty: none
  Range hole_columns{};
};

/// Every kind has random numbers of its own: to add one does not change what the others draw.
[[nodiscard]] ImageChange draw_change(const Augmentation& augmentation, const Shape& shape,
                                      std::uint64_t seed, std::int64_t epoch, std::int64_t sample);

}  // namespace convoy::data
