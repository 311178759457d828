#pragma once
// Prints the figures of `convoy bench` as a table and as JSON (tests/README.md, "Speed of a configuration").
// Measures nothing. Called by the command and by tests.

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/kernels/isa.hpp"
#include "convoy/measure/benchmark.hpp"

namespace convoy::measure {

struct BenchReport {
  kernels::Isa isa = kernels::Isa::kPortable;
  int threads = 1;
  std::int64_t teams = 1;
  std::int64_t batch = 1;
  std::int64_t micro_batch = 1;
  std::string images;  ///< shape and its origin
  Ceiling core;
  Ceiling all;  ///< of all threads
  std::vector<LayerTimes> layers;
  StepTime step;
};

[[nodiscard]] std::string describe_machine(const BenchReport& report);
/// One line for each pass of each layer: time, rates, share of the peak, bytes, roof.
[[nodiscard]] std::string describe_layers(const BenchReport& report);
[[nodiscard]] std::string describe_step(const BenchReport& report);

/// All figures as one JSON object and a line break; seconds, bytes, fractions. Unknown values are null.
[[nodiscard]] std::string to_json(const BenchReport& report);

}  // namespace convoy::measure
