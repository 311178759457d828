#pragma once
// What is done with a summed gradient: the interface of all optimizers. An optimizer declares its states (one
// number for each parameter, kept by whoever updates that parameter, written to checkpoints as
// /optimizer/<name>) and, if it needs them, stages in which norms of whole tensors are formed before the
// update.
//
// An optimizer sees stretches of tensors, cut anywhere, by any thread of any rank, in any order. So that bits
// do not depend on the cuts, every element is updated by itself, in float, from the element's own numbers,
// the step, and norms. Norms are formed by the caller along a fixed blocking and the fixed tree
// (step/norms.hpp).

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "convoy/core/team.hpp"

namespace convoy::optim {

/// One tensor of the flat parameter vector.
struct ParameterRange {
  Range range;
  bool decays = false;  ///< weight decay applies: the weights of conv and dense
};

/// What all elements of an update share.
struct StepInfo {
  std::int64_t step = 0;     ///< updates done before this one; at 0 the states hold zeros
  double learning_rate = 0;  ///< of this step
  float samples = 1;         ///< the gradient is gradient_sum / samples
};

/// A stretch of one tensor, with what belongs to it; every pointer is to the first of `size` elements.
struct Stretch {
  std::int64_t tensor = 0;  ///< its place among all ParameterRanges
  bool decays = false;
  std::int64_t size = 0;
  const float* gradient_sum = nullptr;
  float* parameters = nullptr;
  std::span<float* const> states;  ///< as declared
};

/// Euclidean norms of whole tensors, and of all of them together, the same on all ranks.
class Norms {
 public:
  /// Of the vector number `vector` (counted through all stages so far) over one tensor.
  [[nodiscard]] double of_tensor(std::size_t vector, std::int64_t tensor) const;
  /// Of the same vector over all tensors.
  [[nodiscard]] double of_all(std::size_t vector) const;

  /// None.
  void clear();
  /// The norms of one more vector: its sums of squares, [tensors] and in all.
  void add(std::span<const double> squares_of_tensors, double squares_of_all);

 private:
  std::vector<double> of_tensors_;  // [vectors][tensors]
  std::vector<double> of_all_;      // [vectors]
};

/// The sum of squares of `values`, in double, in an order that depends on their number alone.
[[nodiscard]] double sum_of_squares(std::span<const float> values);

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Names of the states, each zero for every parameter before the first step.
  [[nodiscard]] virtual std::vector<std::string_view> states() const { return {}; }

  /// How many vectors have their norms formed in each stage before the update; empty: none.
  [[nodiscard]] virtual std::vector<int> norm_stages() const { return {}; }
  /// Stage `stage` for a stretch of at most kNormBlock elements: assigns one sum of squares for each of the
  /// stage's vectors. It may update the states (once a step, each stretch in one stage alone). `earlier` has
  /// the norms of the stages before.
  virtual void measure(int stage, const StepInfo& info, const Stretch& stretch, const Norms& earlier,
                       std::span<double> squares) const;

  /// Assigns the stretch's parameters and states. `norms` has those of all stages.
  virtual void update(const StepInfo& info, const Stretch& stretch, const Norms& norms) const = 0;

 protected:
  Optimizer() = default;
  Optimizer(const Optimizer&) = default;
  Optimizer& operator=(const Optimizer&) = default;
};

/// Norms are formed of blocks of so many elements of the flat vector, cut where a tensor ends. It decides
/// bits of optimizers with norms. Ranks own whole blocks.
inline constexpr std::int64_t kNormBlock = 256;

/// Most states of an optimizer.
inline constexpr std::size_t kMostStates = 8;

}  // namespace convoy::optim
