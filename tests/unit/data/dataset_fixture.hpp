#pragma once
// Small data sets for the tests of the data room.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/dataset_file/dataset_writer.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::test {

/// Pixel i of a split of the data set below.
inline std::uint8_t small_pixel(std::int64_t i) {
  return static_cast<std::uint8_t>(i * 37 % 251);
}

inline constexpr Shape kSmallShape{2, 3, 4};
inline constexpr std::int64_t kSmallTrain = 37;  // not a multiple of a chunk
inline constexpr std::int64_t kSmallTest = 5;

/// Writes images of 2x3x4 in 3 classes: 37 training, 5 test; label i mod 3.
inline void write_small_dataset(const std::string& path) {
  importers::DatasetWriter writer(
      path, {.shape = kSmallShape, .source = "a test", .class_names = {"ant", "bee", "cicada"}});
  for (const auto& [name, samples] : {std::pair{"train", kSmallTrain}, {"test", kSmallTest}}) {
    writer.begin_split(name, samples);
    std::vector<std::uint8_t> images(static_cast<std::size_t>(samples * kSmallShape.size()));
    std::vector<std::int64_t> labels(static_cast<std::size_t>(samples));
    for (std::size_t i = 0; i < images.size(); ++i) images[i] = small_pixel(static_cast<std::int64_t>(i));
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i % 3);
    // Append in two parts, so that a part ends within a chunk.
    const std::size_t half = labels.size() / 2;
    const auto size = static_cast<std::size_t>(kSmallShape.size());
    writer.append(std::span(images).first(half * size), std::span(labels).first(half));
    writer.append(std::span(images).subspan(half * size), std::span(labels).subspan(half));
  }
  writer.finish();
}

}  // namespace convoy::test
