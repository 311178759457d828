#pragma once
// The figures of `convoy bench` as a table for a person and as JSON (README, "Speed"). Nothing is measured
// here. Called by the command and by tests.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/kernels/isa.hpp"
#include "convoy/measure/benchmark.hpp"

namespace convoy::apps {

struct BenchReport {
  kernels::Isa isa = kernels::Isa::kPortable;
  int threads = 1;
  std::int64_t teams = 1;
  std::int64_t batch = 1;
  std::int64_t micro_batch = 1;
  std::string images;  ///< shape, and where it comes from
  measure::Ceiling core;
  measure::Ceiling all;  ///< of all threads
  std::vector<measure::LayerTimes> layers;
  measure::StepTime step;
};

[[nodiscard]] std::string describe_machine(const BenchReport& report);
/// A line for each pass of each layer; time, rates, share of the peak, bytes, roof.
[[nodiscard]] std::string describe_layers(const BenchReport& report);
[[nodiscard]] std::string describe_step(const BenchReport& report);

/// All of it as one JSON object and a line break; seconds, bytes, fractions. What cannot be told is null.
[[nodiscard]] std::string to_json(const BenchReport& report);

}  // namespace convoy::apps
