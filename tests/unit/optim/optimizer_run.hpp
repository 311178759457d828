#pragma once
// A run of 50 steps on three tensors for the tests of optimizers, in stretches of any length, and the same
// gradients and first parameters for a reference in double precision.

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "convoy/core/random.hpp"
#include "convoy/optim/optimizers.hpp"

namespace convoy::optim::test {

inline constexpr int kSteps = 50;
inline constexpr float kSamples = 3;
inline constexpr double kRate = 0.01;

/// One tensor. Sizes are no multiples of a vector or of a norm block.
struct Tensor {
  std::int64_t size = 0;
  double decay_factor = 0;
  double rate_factor = 1;
};
inline const std::vector<Tensor> kTensors{{601, 1, 1}, {7, 0, 1}, {300, 0.5, 2}};

/// Gradient element `i` of tensor `tensor` in step `step`, times kSamples. Absolute values from 1/4 to 1, so
/// that no mean of squares is near 0; the sign is more often positive.
inline float gradient_sum(int step, std::size_t tensor, std::int64_t i) {
  RandomStream stream(random_key(static_cast<std::uint64_t>(step) + 1, RandomPurpose::kTest, tensor,
                                 static_cast<std::uint64_t>(i)));
  const double size = stream.uniform(0.25, 1);
  return static_cast<float>(stream.uniform(0, 1) < 0.7 ? size : -size) * kSamples;
}

inline float first_parameter(std::size_t tensor, std::int64_t i) {
  return static_cast<float>(
      RandomStream(random_key(1000, RandomPurpose::kTest, tensor, static_cast<std::uint64_t>(i)))
          .uniform(-1, 1));
}

/// Parameters and states of every tensor.
struct Trained {
  std::vector<std::vector<float>> parameters;
  std::vector<std::vector<std::vector<float>>> states;  // [tensors][states][elements]
  bool operator==(const Trained&) const = default;
};

/// Passes the norms of all stages to `norms`, as model/norm_sums.hpp does.
inline void measure(const Optimizer& optimizer, const StepInfo& info, const std::vector<Stretch>& whole,
                    NormValues& values) {
  const std::vector<int> stages = optimizer.norm_stages();
  for (std::size_t stage = 0; stage < stages.size(); ++stage) {
    const auto vectors = static_cast<std::size_t>(stages[stage]);
    const Norms earlier = values.norms();
    std::vector<std::vector<double>> squares(vectors, std::vector<double>(whole.size()));
    for (std::size_t tensor = 0; tensor < whole.size(); ++tensor) {
      for (std::int64_t begin = 0; begin < whole[tensor].size; begin += kNormBlock) {
        std::array<float*, kMostStates> states{};
        std::vector<double> of_block(vectors);
        optimizer.measure(
            static_cast<int>(stage), info,
            part_of(whole[tensor], begin, std::min(kNormBlock, whole[tensor].size - begin), states), earlier,
            of_block);
        for (std::size_t vector = 0; vector < vectors; ++vector) squares[vector][tensor] += of_block[vector];
      }
    }
    for (const std::vector<double>& of_tensors : squares) {
      double all = 0;
      for (const double each : of_tensors) all += each;
      values.add(of_tensors, all);
    }
  }
}

/// `steps` steps, cut into stretches of `stretch` elements, as threads and ranks do.
inline Trained run(const Optimizer& optimizer, std::int64_t stretch = 1000, int steps = kSteps) {
  Trained it;
  const std::size_t states = optimizer.states().size();
  std::vector<std::vector<float>> sums;
  for (std::size_t tensor = 0; tensor < kTensors.size(); ++tensor) {
    const auto size = static_cast<std::size_t>(kTensors[tensor].size);
    it.states.emplace_back(states, std::vector<float>(size));
    sums.emplace_back(size);
    std::vector<float>& parameters = it.parameters.emplace_back(size);
    for (std::size_t i = 0; i < size; ++i)
      parameters[i] = first_parameter(tensor, static_cast<std::int64_t>(i));
  }
  for (int step = 0; step < steps; ++step) {
    const StepInfo info{.step = step,
                        .learning_rate = kRate,
                        .samples = kSamples,
                        .progress = static_cast<double>(step + 1) / steps};
    std::vector<std::array<float*, kMostStates>> pointers(kTensors.size());
    std::vector<Stretch> whole;
    for (std::size_t tensor = 0; tensor < kTensors.size(); ++tensor) {
      for (std::size_t i = 0; i < sums[tensor].size(); ++i)
        sums[tensor][i] = gradient_sum(step, tensor, static_cast<std::int64_t>(i));
      for (std::size_t i = 0; i < states; ++i) pointers[tensor][i] = it.states[tensor][i].data();
      whole.push_back({.tensor = static_cast<std::int64_t>(tensor),
                       .decay_factor = kTensors[tensor].decay_factor,
                       .rate_factor = kTensors[tensor].rate_factor,
                       .size = kTensors[tensor].size,
                       .gradient_sum = sums[tensor].data(),
                       .parameters = it.parameters[tensor].data(),
                       .states = std::span(pointers[tensor]).first(states)});
    }
    NormValues norms;
    measure(optimizer, info, whole, norms);
    for (const Stretch& tensor : whole) {
      for (std::int64_t begin = 0; begin < tensor.size; begin += stretch) {
        std::array<float*, kMostStates> parts{};
        optimizer.update(info, part_of(tensor, begin, std::min(stretch, tensor.size - begin), parts),
                         norms.norms());
      }
    }
  }
  return it;
}

/// The first parameters of all tensors.
inline std::vector<std::vector<double>> first_parameters() {
  std::vector<std::vector<double>> all;
  for (std::size_t tensor = 0; tensor < kTensors.size(); ++tensor) {
    std::vector<double>& of = all.emplace_back();
    for (std::int64_t i = 0; i < kTensors[tensor].size; ++i)
      of.push_back(static_cast<double>(first_parameter(tensor, i)));
  }
  return all;
}

/// The mean gradients of all tensors in step `step`.
inline std::vector<std::vector<double>> gradients(int step) {
  std::vector<std::vector<double>> all;
  for (std::size_t tensor = 0; tensor < kTensors.size(); ++tensor) {
    std::vector<double>& of = all.emplace_back();
    for (std::int64_t i = 0; i < kTensors[tensor].size; ++i)
      of.push_back(static_cast<double>(gradient_sum(step, tensor, i)) / static_cast<double>(kSamples));
  }
  return all;
}

/// The greatest difference of the parameters from `expected`.
inline double distance(const Trained& trained, const std::vector<std::vector<double>>& expected) {
  double most = 0;
  for (std::size_t tensor = 0; tensor < expected.size(); ++tensor)
    for (std::size_t i = 0; i < expected[tensor].size(); ++i)
      most =
          std::max(most, std::abs(static_cast<double>(trained.parameters[tensor][i]) - expected[tensor][i]));
  return most;
}

/// Fails unless every cut gives the same bits.
inline void expect_same_bits_in_any_stretches(const Optimizer& optimizer) {
  const Trained whole = run(optimizer);
  for (const std::int64_t stretch : {1, 3, 64, 299}) EXPECT_EQ(run(optimizer, stretch), whole) << stretch;
}

}  // namespace convoy::optim::test
