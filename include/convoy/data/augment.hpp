#pragma once
// Random augmentation of training images. The random choices are a pure function of (seed, epoch, sample):
// independent of ranks, threads and interruptions of the run. Split::load applies them; stored images are
// never changed.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "convoy/core/shape.hpp"
#include "convoy/core/team.hpp"

namespace convoy::data {

/// data.augment. The members are applied in this order; normalisation is between contrast and cutout.
struct Augmentation {
  /// Random crop: a window of the image's size, shifted by up to `crop` pixels in each direction. Pixels
  /// outside the image are zero (black, before normalisation).
  std::int64_t crop = 0;
  /// Horizontal flip with probability 1/2.
  bool flips = false;
  /// Multiplies pixels by a random factor in [max(0, 1 − b), 1 + b].
  double brightness = 0;
  /// Multiplies the difference between pixels and the image's mean grey by a random factor in [max(0, 1 − c),
  /// 1 + c]. Grey is 0.299 R + 0.587 G + 0.114 B for three channels, else the mean of the channels.
  double contrast = 0;
  /// Sets a square of `cutout` pixels per side to zero after normalisation. Its centre is a random pixel; the
  /// square is clipped at the image's border (DeVries & Taylor 2017).
  std::int64_t cutout = 0;

  [[nodiscard]] bool is_none() const {
    return crop == 0 && !flips && brightness == 0 && contrast == 0 && cutout == 0;
  }
  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

/// Parses "none", or words like "crop=4 flip=horizontal brightness=0.2 contrast=0.2 cutout=8". Returns
/// nothing if the text is invalid.
[[nodiscard]] std::optional<Augmentation> parse_augmentation(std::string_view text);
/// The inverse of parse_augmentation, in the order above.
[[nodiscard]] std::string text_of(const Augmentation& augmentation);
/// Throws ConfigError if images of `shape` are too small for `augmentation`.
void require_fits(const Augmentation& augmentation, const Shape& shape);

/// The change of one image: dst(y, x) = src(y + down, x' + right); x' = W − 1 − x if flipped, else x.
struct ImageChange {
  std::int64_t down = 0;
  std::int64_t right = 0;
  bool is_flipped = false;
  double brightness = 1;
  double contrast = 1;
  Range hole_rows{};  ///< in the result; empty: no cutout
  Range hole_columns{};
};

/// Each kind of change has its own random numbers: adding a kind does not change the others.
[[nodiscard]] ImageChange draw_change(const Augmentation& augmentation, const Shape& shape,
                                      std::uint64_t seed, std::int64_t epoch, std::int64_t sample);

}  // namespace convoy::data
