#pragma once
// Norms that an optimizer needs after the gradient sum and before its update (optim/optimizer.hpp). The bits
// are the same for any number of ranks and threads: tensors are split into fixed blocks, the thread that has
// a block's sum computes its sum of squares, then blocks and tensors are added along the fixed tree
// (comm/tree.hpp). No communication here.

#include <cstdint>
#include <span>
#include <vector>

#include "convoy/core/team.hpp"
#include "convoy/model/state.hpp"
#include "convoy/optim/optimizer.hpp"

namespace convoy::model {

/// The norm blocks of a network's parameters: split at multiples of optim::kNormBlock and at ends of tensors.
struct NormBlock {
  std::int64_t tensor = 0;
  Range elements;
};
[[nodiscard]] std::vector<NormBlock> norm_blocks(const std::vector<optim::ParameterRange>& tensors);

class NormSums {
 public:
  /// For all norm stages of `optimizer`, over `tensors` (at least one).
  NormSums(const optim::Optimizer& optimizer, const std::vector<optim::ParameterRange>& tensors);
  NormSums(NormSums&&) = default;
  NormSums& operator=(NormSums&&) = default;

  [[nodiscard]] const std::vector<NormBlock>& blocks() const { return blocks_; }
  /// Numbers of the blocks in `elements`, a range of parameters that contains whole blocks only.
  [[nodiscard]] Range blocks_of(const Range& elements) const;
  [[nodiscard]] int stages() const { return static_cast<int>(vectors_.size()); }
  /// Number of vectors whose norms a stage needs.
  [[nodiscard]] int vectors(int stage) const { return vectors_[static_cast<std::size_t>(stage)]; }

  /// Starts a step: clears norms().
  void restart() {
    values_.clear();
    norms_ = {};
  }
  /// The sums of squares of block `block` in stage `stage`, [vectors]. Different threads may write different
  /// blocks.
  [[nodiscard]] std::span<double> squares(int stage, std::int64_t block) {
    const auto each = static_cast<std::size_t>(vectors(stage));
    return std::span(squares_).subspan(static_cast<std::size_t>(block) * each, each);
  }
  /// All stages of one step at once, on one thread: `sum` is the whole gradient.
  void measure(const Update& update, const float* sum, State& state);

  /// Adds the norms of `stage` to norms(). Call when all blocks' squares are assigned, in the order of
  /// stages.
  void finish(int stage);
  [[nodiscard]] const optim::Norms& norms() const { return norms_; }

 private:
  std::vector<int> vectors_;       // by stage
  std::vector<NormBlock> blocks_;  // in memory order
  std::vector<Range> blocks_of_tensor_;
  std::vector<double> squares_;     // of the current stage
  std::vector<double> of_blocks_;   // of one vector, by block
  std::vector<double> of_tensors_;  // of one vector, by tensor
  optim::NormValues values_;
  optim::Norms norms_;  // of values_
};

}  // namespace convoy::model
