#pragma once
// Measures inference, for `convoy bench --inference`.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/core/operations.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::predict {

struct InferenceTime {
  std::int64_t batch = 0;
  double seconds = 0;  ///< of one call for the whole batch, median

  [[nodiscard]] double images_per_second() const { return static_cast<double>(batch) / seconds; }
};

/// How to measure.
struct InferenceSetting {
  kernels::Isa isa = kernels::Isa::kPortable;
  int threads = 1;
  Precision precision = Precision::kFloat32;
  double seconds = 0.1;  ///< least duration of one measurement
};

/// Measures calls of Inference::answer() for 1, 16 and 64 random images, uint8, from memory to outputs, with
/// initial weights.
[[nodiscard]] std::vector<InferenceTime> measure_inference(const nn::Network& network,
                                                           const InferenceSetting& setting);

/// A table, and what a single image costs.
[[nodiscard]] std::string to_text(const std::vector<InferenceTime>& times, const InferenceSetting& setting);
/// An object: isa, threads, and `batches` with batch, seconds, images_per_second.
[[nodiscard]] std::string to_json(const std::vector<InferenceTime>& times, const InferenceSetting& setting);

}  // namespace convoy::predict
