#pragma once
// The compute of one rank: its share of a step's micro-batches through the network on its threads, and
// evaluation.
//
// One parallel region a step. Its threads form groups; a group takes whole micro-batches, one after the
// other, through forward, loss and backward, and adds gradients along the tree as soon as two siblings are
// there. With fewer micro-batches than threads, a group is a team of several. No communication here.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "convoy/comm/reducer.hpp"
#include "convoy/core/aligned.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/nn/workspace.hpp"
#include "convoy/optim/sgd.hpp"
#include "convoy/train/profile.hpp"
#include "convoy/train/step_plan.hpp"
#include "convoy/train/team_pool.hpp"

namespace convoy::train {

/// What one micro-batch adds to the metrics.
using LeafResult = nn::LossResult;

/// The trained state of a network, flat (nn/network.hpp).
struct State {
  AlignedBuffer<float> parameters;
  AlignedBuffer<float> statistics;
  AlignedBuffer<float> velocity;  ///< sgd's momentum; empty where μ = 0
};

/// Room for `network`'s state, zeros; a velocity only where momentum needs one.
[[nodiscard]] State make_state(const nn::Network& network, double momentum);

/// Where samples come from.
struct Source {
  const data::Split* split = nullptr;
  data::InputTransform transform;
};

class Engine {
 public:
  /// For `network` on `threads` threads. `network` must outlive it.
  Engine(const nn::Network& network, const kernels::KernelTable<float>& kernels, int threads,
         std::int64_t micro_batch, kernels::Precision precision);

  /// Books the time of later steps in `profile`, made for as many threads; null, the default: nowhere.
  void set_profile(Profile* profile) { profile_ = profile; }

  /// This rank's gradients of one step. `batch` are the samples of the whole step, all ranks; leaf i is
  /// micro-batch i of it. Returns the values of the plan's nodes, in its order, valid until the next call;
  /// `leaves` (one a leaf of plan.block) is assigned.
  [[nodiscard]] std::span<const comm::NodeValue> gradients(const StepPlan& plan, const Source& source,
                                                           const State& state,
                                                           std::span<const std::int64_t> batch,
                                                           std::uint64_t seed, std::int64_t epoch,
                                                           std::span<LeafResult> leaves);

  /// One update from the reduced mean `gradient` ([gradient_size]): sgd on the parameters;
  /// running ← 0.9·running + 0.1·average on the statistics.
  void update(const optim::SgdOptions& sgd, const std::vector<optim::ParameterRange>& ranges, float lr,
              bool first_step, std::span<const float> gradient, State& state);

  /// Results of samples [block.begin·m, block.end·m) of the split, m the micro-batch, one a leaf. `confusion`
  /// ([classes][classes], row = label, column = answer; may be empty) is added to.
  void evaluate(const Source& source, const State& state, const Range& block, std::span<LeafResult> leaves,
                std::span<std::int64_t> confusion);

  /// Makes the memory that steps of `plan` need; a step makes what is missing itself.
  void prepare(const StepPlan& plan);
  /// Likewise for evaluate() with blocks of up to `leaves`.
  void prepare_evaluation(std::int64_t leaves);

  [[nodiscard]] int threads() const { return pool_.threads(); }
  [[nodiscard]] std::int64_t micro_batch() const { return micro_batch_; }
  [[nodiscard]] kernels::Precision precision() const { return precision_; }
  /// Bytes held by the networks' activations, diffs and scratch, and by gradients.
  [[nodiscard]] std::int64_t workspace_bytes() const;
  [[nodiscard]] std::int64_t gradient_bytes() const;

 private:
  /// What one group of threads works in.
  struct Group {
    int team = 0;  // the most threads its workspace is for; 0: there is none
    std::unique_ptr<nn::Workspace<float>> workspace;
    std::vector<std::int64_t> labels;   // of the micro-batch in hand
    std::vector<std::int64_t> numbers;  // of its samples, in evaluation
  };

  void prepare_groups(std::int64_t groups);
  /// For a thread of group `group` among `groups`.
  [[nodiscard]] PartTimer timer_of(std::int64_t groups, std::int64_t group, const Team& team) const;
  [[nodiscard]] float* slot(std::int64_t i) { return slots_[static_cast<std::size_t>(i)].data(); }

  const nn::Network& network_;
  const kernels::KernelTable<float>& kernels_;
  TeamPool pool_;
  std::int64_t micro_batch_;
  kernels::Precision precision_;
  Profile* profile_ = nullptr;
  std::vector<Group> groups_;
  std::vector<AlignedBuffer<float>> slots_;
  std::vector<comm::NodeValue> nodes_;
};

}  // namespace convoy::train
