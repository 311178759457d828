#pragma once
// Runs one layer forward and backward on one micro-batch, in guarded memory that shows all writes.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include "convoy/core/random.hpp"
#include "convoy/layers/layer.hpp"
#include "convoy/layers/layer_line.hpp"
#include "convoy/layers/registry.hpp"
#include "support/guarded.hpp"
#include "support/lanes.hpp"
#include "support/teams.hpp"

namespace convoy::nn {

using Numbers = std::vector<double>;

inline std::unique_ptr<Layer> make_layer(const std::string& text, const Shape& input,
                                         std::uint64_t ordinal = 0) {
  LayerLine line({text, "test"}, ordinal);
  return Registry::standard().make(line, input);
}

/// `size` different numbers in (−1, 1), shuffled, equally spaced, at least half the spacing away from 0:
/// small steps cross no kink of relu or maxpool. All are exact in float.
inline Numbers spread_numbers(std::int64_t size, std::uint64_t seed) {
  Numbers numbers;
  for (const std::int64_t k : shuffled_order(size, seed, 0)) {
    const double middle = static_cast<double>(2 * k - size) + (size % 2 == 0 ? 1 : 0.5);
    numbers.push_back(static_cast<double>(static_cast<float>(middle / static_cast<double>(size + 1))));
  }
  return numbers;
}

/// The inputs of a layer: [samples][size] numbers, parameters, and ∂C/∂dst.
struct LayerInput {
  std::vector<std::int64_t> samples;
  Numbers src;
  Numbers parameters;
  Numbers diff_dst;
  std::uint64_t seed = 7;
  std::int64_t epoch = 3;

  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(samples.size()); }
};

/// Parameters initialised to one (batchnorm's weight) stay near 1; the others are spread around 0.
inline LayerInput make_input(const Layer& layer, const Shape& input, std::int64_t samples) {
  LayerInput made;
  made.samples.resize(static_cast<std::size_t>(samples));
  std::iota(made.samples.begin(), made.samples.end(), 40);
  made.src = spread_numbers(samples * input.size(), 1);
  made.diff_dst = spread_numbers(samples * layer.output().size(), 2);
  std::uint64_t seed = 3;
  for (const Parameter& parameter : layer.parameters()) {
    for (const double value : spread_numbers(convoy::count(parameter.dims), seed++))
      made.parameters.push_back(parameter.initializer == Initializer::kOnes ? 1 + value / 4 : value);
  }
  return made;
}

/// The outputs of a layer, without idle lanes.
struct LayerOutput {
  Numbers dst, diff_src, diff_parameters, batch_statistics;
  bool guards_untouched = true;
  friend bool operator==(const LayerOutput&, const LayerOutput&) = default;
};

enum class Backward {
  kOnce,
  kTwice,
  kOnWhatItReads,  ///< with NaN in src or dst if backward does not read it (traits)
};

template <class Real>
LayerOutput run_layer(const Layer& layer, const Shape& input, const LayerInput& given,
                      const kernels::KernelTable<Real>& kernels, int threads = 1,
                      Phase phase = Phase::kTraining, Backward backward = Backward::kOnce) {
  const std::int64_t n = given.count();
  const std::int64_t out = layer.output().size();
  const MicroBatch batch{.phase = phase, .samples = given.samples, .seed = given.seed, .epoch = given.epoch};
  auto src = test::to_lanes<Real>(given.src, n, input.size(), test::IdleLanes::kFirstSample);
  auto diff_dst = test::to_lanes<Real>(given.diff_dst, n, out, test::IdleLanes::kZero);
  const std::vector<Real> parameters(given.parameters.begin(), given.parameters.end());
  std::int64_t statistics = 0;
  for (const Statistic& each : layer.statistics()) statistics += convoy::count(each.dims);
  std::vector<Real> running(static_cast<std::size_t>(statistics), Real{1});

  test::Guarded<Real> dst(test::lanes_size(n, out));
  test::Guarded<Real> diff_src(test::lanes_size(n, input.size()));
  test::Guarded<Real> diff_parameters(static_cast<std::int64_t>(parameters.size()));
  test::Guarded<Real> batch_statistics(statistics);
  test::Guarded<Real> scratch(
      layer.scratch_size({.planner = kernels.planner, .blocks = batch.blocks(), .threads = threads}));
  AlignedBuffer<std::byte> saved(layer.saved_bytes(batch.blocks(), sizeof(Real)));

  test::run_team(threads, [&](const Team& team) {
    Pass<Real> pass{.kernels = kernels, .team = team, .batch = batch};
    pass.src[0] = src.data();
    pass.dst = dst.data();
    pass.parameters = parameters.data();
    pass.statistics = running.data();
    pass.saved = saved.data();
    pass.scratch = scratch.data();
    layer.forward(pass);
    if (phase == Phase::kEvaluation) return;
    if (backward == Backward::kOnWhatItReads && team.index() == 0) {
      constexpr Real kNan = std::numeric_limits<Real>::quiet_NaN();
      if (!layer.traits().backward_reads_src) std::ranges::fill(src.span(), kNan);
      if (!layer.traits().backward_reads_dst) std::fill_n(dst.data(), dst.size(), kNan);
    }
    team.barrier();
    pass.diff_dst = diff_dst.data();
    pass.diff_src[0] = diff_src.data();
    pass.diff_parameters = diff_parameters.data();
    pass.batch_statistics = batch_statistics.data();
    layer.backward(pass);
    if (backward == Backward::kTwice) layer.backward(pass);
  });

  const auto plain = [](const std::vector<Real>& values) { return Numbers(values.begin(), values.end()); };
  return {.dst = test::from_lanes(dst.data(), n, out),
          .diff_src = test::from_lanes(diff_src.data(), n, input.size()),
          .diff_parameters = plain(diff_parameters.values()),
          .batch_statistics = plain(batch_statistics.values()),
          .guards_untouched = dst.guards_untouched() && diff_src.guards_untouched() &&
                              diff_parameters.guards_untouched() && batch_statistics.guards_untouched() &&
                              scratch.guards_untouched()};
}

}  // namespace convoy::nn
