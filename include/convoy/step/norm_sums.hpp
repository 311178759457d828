#pragma once
// The norms that an optimizer asks for between the summed gradient and its update (optim/optimizer.hpp), with
// the same bits at any number of ranks and threads: a tensor is cut into fixed blocks, a block's sum of
// squares is formed by whoever has its sum, and blocks, then tensors, are added along the fixed tree
// (comm/tree.hpp). No communication here.

#include <cstdint>
#include <span>
#include <vector>

#include "convoy/core/team.hpp"
#include "convoy/optim/optimizer.hpp"

namespace convoy::step {

/// The blocks of a network's parameters: between multiples of optim::kNormBlock and ends of tensors.
struct NormBlock {
  std::int64_t tensor = 0;
  Range elements;
};
[[nodiscard]] std::vector<NormBlock> norm_blocks(const std::vector<optim::ParameterRange>& tensors);

class NormSums {
 public:
  /// For all stages of `optimizer`, over `tensors` (at least one).
  NormSums(const optim::Optimizer& optimizer, const std::vector<optim::ParameterRange>& tensors);

  [[nodiscard]] const std::vector<NormBlock>& blocks() const { return blocks_; }
  /// Numbers of the blocks of `elements`, a stretch of parameters that cuts none.
  [[nodiscard]] Range blocks_of(const Range& elements) const;
  [[nodiscard]] int stages() const { return static_cast<int>(vectors_.size()); }
  /// Vectors of a stage.
  [[nodiscard]] int vectors(int stage) const { return vectors_[static_cast<std::size_t>(stage)]; }

  /// A step begins: norms() has none.
  void restart() { norms_.clear(); }
  /// Where stage `stage` has block number `block`'s sums of squares, [vectors]: different blocks by different
  /// threads.
  [[nodiscard]] std::span<double> squares(int stage, std::int64_t block) {
    const auto each = static_cast<std::size_t>(vectors(stage));
    return std::span(squares_).subspan(static_cast<std::size_t>(block) * each, each);
  }
  /// All blocks' squares of `stage` are there: norms() has that stage's, too. In the order of stages.
  void finish(int stage);
  [[nodiscard]] const optim::Norms& norms() const { return norms_; }

 private:
  std::vector<int> vectors_;       // by stage
  std::vector<NormBlock> blocks_;  // in the order of memory
  std::vector<Range> blocks_of_tensor_;
  std::vector<double> squares_;     // of the stage under way
  std::vector<double> of_blocks_;   // of one vector
  std::vector<double> of_tensors_;  // likewise
  optim::Norms norms_;
};

}  // namespace convoy::step
