#pragma once
// A generated data set for the quick start, without a download. Ten kinds of drawings (bar, cross, L, T,
// triangle, square, disc, ring, arrow, zigzag) with random position, size, brightness and contrast, rotated
// by up to half a radian in either direction, lighter or darker than the background, with noise. Only the
// shape identifies a class, so a linear classifier learns almost nothing and a small convolutional network
// almost everything.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "convoy/dataset_file/observer.hpp"

namespace convoy::importers {

struct SynthOptions {
  std::int64_t train = 10000;  ///< images in the training split, ≥ 1
  std::int64_t test = 2000;    ///< images in the test split, ≥ 1
  std::int64_t classes = 10;   ///< 2 … 10: the first kinds of the list above
  std::int64_t height = 28;    ///< 12 … 512
  std::int64_t width = 28;
  std::uint64_t seed = 1;
};

/// Throws ConfigError with the option that is out of range.
void check(const SynthOptions& options);

enum class SynthSplit : std::uint64_t { kTrain = 0, kTest = 1 };

/// Class of sample `index`: index mod classes.
[[nodiscard]] std::int64_t synth_label(const SynthOptions& options, std::int64_t index);

/// Draws sample `index` into image [height][width]. A pure function of seed, split, index, classes and size;
/// the same bytes on every machine.
void draw_synth(const SynthOptions& options, SynthSplit split, std::int64_t index,
                std::span<std::uint8_t> image);

/// Names of the first `classes` kinds.
[[nodiscard]] std::vector<std::string> synth_class_names(std::int64_t classes);

/// Writes the data set to `out`. Throws ConfigError (options), IoError (cannot be written; no file remains).
void synth(const SynthOptions& options, const std::string& out, Observer* observer = nullptr);

}  // namespace convoy::importers
