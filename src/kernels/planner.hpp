#pragma once
// The Planner of an instruction set: algorithms and scratch sizes of the plans that its kernels use.

#include "convoy/convolution/plan.hpp"
#include "convoy/convolution/taps.hpp"
#include "grouped.hpp"

namespace convoy::kernels {
namespace {

template <class Real>
ConvAlgorithms conv2d_algorithms(const Conv2dShape& shape) {
  if (!is_countable(shape)) return {};
  if (is_depthwise(shape)) return {ConvAlgorithm::kDirect, ConvAlgorithm::kDirect, ConvAlgorithm::kDirect};
  const Conv2dShape s = as_computed<Real>(shape.groups == 1 ? shape : shape_of_group(shape));
  return {plan_forward(s, 1).algorithm, plan_backward_data(s, 1).algorithm,
          plan_backward_weights(s, 1).algorithm};
}

/// Maximum scratch of teams of up to `threads`, with the plans make_plan(team).
template <class MakePlan>
std::int64_t most_scratch(int threads, const MakePlan& make_plan) {
  const auto whole = make_plan(threads);
  std::int64_t most = whole.size;
  if (whole.algorithm != ConvAlgorithm::kMinimalFiltering) return most;  // grows with the team
  for (int team = 1; team < threads; ++team) most = max(most, make_plan(team).size);
  return most;
}

template <class Real>
std::int64_t ungrouped_scratch_size(const Conv2dShape& shape, int threads) {
  Conv2dShape s = as_computed<Real>(shape);
  std::int64_t most = 0;
  // A part of the scratch may be larger for a shorter micro-batch, whose tiles are split another way.
  for (s.blocks = 1; s.blocks <= shape.blocks; ++s.blocks) {
    most = max(most, most_scratch(threads, [&](int team) { return plan_forward(s, team); }));
    most = max(most, most_scratch(threads, [&](int team) { return plan_backward_data(s, team); }));
    most = max(most, most_scratch(threads, [&](int team) { return plan_backward_weights(s, team); }));
  }
  return most;
}

template <class Real>
std::int64_t conv2d_scratch_size(const Conv2dShape& shape, int threads) {
  if (!is_countable(shape)) return std::int64_t{1} << 50;  // more than there is
  return grouped_scratch_size(shape, threads, [](const Conv2dShape& s, std::int64_t team) {
    return ungrouped_scratch_size<Real>(s, static_cast<int>(team));
  });
}

}  // namespace
}  // namespace convoy::kernels
