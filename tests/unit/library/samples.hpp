#pragma once
// Samples and a network for the tests of the library room.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/convoy.hpp"
#include "unit/data/dataset_fixture.hpp"

namespace convoy::test {

/// Images and labels of write_small_dataset(), training split.
inline std::vector<std::uint8_t> small_images(std::int64_t first, std::int64_t count) {
  std::vector<std::uint8_t> images;
  for (std::int64_t i = first * kSmallShape.size(); i < (first + count) * kSmallShape.size(); ++i)
    images.push_back(small_pixel(i));
  return images;
}

inline SampleFormat small_format() {
  return {.image = kSmallShape, .is_bytes = true, .classes = 3, .class_names = {"ant", "bee", "cicada"}};
}

/// Adds samples [first, first + count) of the training split.
inline void add_small(Dataset& dataset, std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> numbers;
  std::vector<std::int64_t> labels;
  for (std::int64_t i = first; i < first + count; ++i) {
    numbers.push_back(i);
    labels.push_back(i % 3);
  }
  dataset.add(numbers, small_images(first, count), labels);
}

inline const std::string kSmallLayers = "conv 4 2x2\nbatchnorm\nrelu\ndropout 0.2\ndense 3";

inline Options small_options(std::int64_t epochs = 2) {
  return {{"train.epochs", epochs},   {"train.batch", 10},         {"train.micro-batch", 2},
          {"schedule.lr", 0.05},      {"optimizer.momentum", 0.9}, {"schedule.name", "cosine"},
          {"data.augment", "crop=1"}, {"run.threads", 1}};
}

inline Model small_model() {
  return {kSmallShape, kSmallLayers, Loss::kSoftmaxCrossEntropy, 1};
}

inline std::vector<float> values_of(const Model& model) {
  std::vector<float> values(model.parameters().begin(), model.parameters().end());
  values.insert(values.end(), model.statistics().begin(), model.statistics().end());
  return values;
}

/// The message of the Error that `action` throws, after its class; "" if it throws none.
template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return std::string("ConfigError: ") + error.what();
  } catch (const DataError& error) {
    return std::string("DataError: ") + error.what();
  } catch (const Error& error) {
    return std::string("Error: ") + error.what();
  }
  return "";
}

}  // namespace convoy::test
