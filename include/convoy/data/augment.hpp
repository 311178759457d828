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
#include "convoy/samples/options.hpp"

namespace convoy::data {

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
