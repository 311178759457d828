#pragma once
// The interface of all optimizers: the update of parameters from a summed gradient. An optimizer declares its
// states (one number per parameter, stored by the rank that updates the parameter, written to checkpoints as
// /optimizer/<name>) and, if needed, stages that compute norms of whole tensors before the update.
//
// Any thread of any rank calls an optimizer for stretches of tensors, cut anywhere, in any order. So that the
// results do not depend on the cuts, every element is updated separately, in float, from its own values, the
// step, and norms. The caller computes norms over fixed blocks and the fixed tree (model/norm_sums.hpp).

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "convoy/core/team.hpp"

namespace convoy::optim {

/// One tensor of the flat parameter vector, and how it is trained.
struct ParameterRange {
  Range range;
  double decay_factor = 0;  ///< of the weight decay: 1 for the weights of conv and dense, unless a group says
  double rate_factor = 1;   ///< of the learning rate
  /// Epochs after which parameters and states stay as they are, and count in no norm.
  double frozen_from = std::numeric_limits<double>::infinity();
};

/// Values common to all elements of an update.
struct StepInfo {
  std::int64_t step = 0;     ///< number of previous updates; at 0 the states are zero
  double learning_rate = 0;  ///< learning rate of this step
  float samples = 1;         ///< the gradient is gradient_sum / samples
  double epochs_done = 0;    ///< epochs before this step, a fraction within an epoch
  double progress = 0;       ///< share of all steps of the schedule, with this one; 1 at the last
};

/// A range of one tensor; every pointer points to the first of `size` elements.
struct Stretch {
  std::int64_t tensor = 0;  ///< index among all ParameterRanges
  double decay_factor = 0;  ///< as in its ParameterRange
  double rate_factor = 1;
  std::int64_t size = 0;
  const float* gradient_sum = nullptr;
  float* parameters = nullptr;
  std::span<float* const> states;  ///< in the order of states()
};

/// `size` elements of `whole` from number `begin`. `states`: memory for the addresses of its states.
[[nodiscard]] inline Stretch part_of(const Stretch& whole, std::int64_t begin, std::int64_t size,
                                     std::span<float*> states) {
  for (std::size_t i = 0; i < whole.states.size(); ++i) states[i] = whole.states[i] + begin;
  Stretch part = whole;
  part.size = size;
  part.gradient_sum += begin;
  part.parameters += begin;
  part.states = states.first(whole.states.size());
  return part;
}

/// Euclidean norms of each tensor and of all tensors together, equal on all ranks. A view of NormValues.
class Norms {
 public:
  /// No norms.
  Norms() = default;

  /// Norm of vector number `vector` (counted through all stages so far) over one tensor.
  [[nodiscard]] double of_tensor(std::size_t vector, std::int64_t tensor) const {
    return of_tensors_[vector * (of_tensors_.size() / of_all_.size()) + static_cast<std::size_t>(tensor)];
  }
  /// Norm of the same vector over all tensors.
  [[nodiscard]] double of_all(std::size_t vector) const { return of_all_[vector]; }

  /// The norms without those of the first `vectors` vectors: for an optimizer inside another.
  [[nodiscard]] Norms from(std::size_t vectors) const {
    return {of_tensors_.subspan(vectors * (of_tensors_.size() / of_all_.size())), of_all_.subspan(vectors)};
  }

 private:
  friend class NormValues;
  Norms(std::span<const double> of_tensors, std::span<const double> of_all)
      : of_tensors_(of_tensors), of_all_(of_all) {}

  std::span<const double> of_tensors_;  // [vectors][tensors]
  std::span<const double> of_all_;      // [vectors]
};

/// Holds the norms of a step.
class NormValues {
 public:
  /// Removes all norms.
  void clear();
  /// Adds the norms of another vector from its sums of squares: by tensor, and total.
  void add(std::span<const double> squares_of_tensors, double squares_of_all);
  /// Valid until the next change.
  [[nodiscard]] Norms norms() const { return {of_tensors_, of_all_}; }

 private:
  std::vector<double> of_tensors_;  // [vectors][tensors]
  std::vector<double> of_all_;      // [vectors]
};

/// The sum of squares of `values`, in double, in an order that depends only on their number.
[[nodiscard]] double sum_of_squares(std::span<const float> values);

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Names of the states; all are zero before the first step.
  [[nodiscard]] virtual std::vector<std::string_view> states() const { return {}; }

  /// Number of vectors with norms in each stage before the update; empty: no stages.
  [[nodiscard]] virtual std::vector<int> norm_stages() const { return {}; }
  [[nodiscard]] bool uses_norms() const { return !norm_stages().empty(); }
  /// Stage `stage` for a stretch of at most kNormBlock elements: assigns one sum of squares per vector of the
  /// stage. May update the states (once per step, each stretch in only one stage). `earlier`: the norms of
  /// the previous stages.
  virtual void measure(int stage, const StepInfo& info, const Stretch& stretch, const Norms& earlier,
                       std::span<double> squares) const;

  /// Assigns the stretch's parameters and states. `norms`: the norms of all stages.
  virtual void update(const StepInfo& info, const Stretch& stretch, const Norms& norms) const = 0;

 protected:
  Optimizer() = default;
  Optimizer(const Optimizer&) = default;
  Optimizer& operator=(const Optimizer&) = default;
};

/// Block size of norms, in elements of the flat vector; a block also ends at the end of a tensor. A change
/// affects the results of optimizers with norms. Ranks own whole blocks.
inline constexpr std::int64_t kNormBlock = 256;

/// Maximum number of states of an optimizer.
inline constexpr std::size_t kMostStates = 8;

}  // namespace convoy::optim
