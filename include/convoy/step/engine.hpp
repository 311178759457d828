#pragma once
// The compute of one rank: its share of a step's micro-batches through the network on its threads, and
// evaluation.
//
// One parallel region a step. Its threads form groups; a group takes whole micro-batches, one after the
// other, through forward, loss and backward, and adds gradients along the tree as soon as two siblings are
// there. With fewer micro-batches than threads, a group is a team of several. No communication here: a
// GradientHook is the only seam.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "convoy/comm/wire.hpp"
#include "convoy/core/aligned.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/data/stream.hpp"
#include "convoy/model/state.hpp"
#include "convoy/nn/workspace.hpp"
#include "convoy/step/buckets.hpp"
#include "convoy/step/heartbeat.hpp"
#include "convoy/step/norm_sums.hpp"
#include "convoy/step/profile.hpp"
#include "convoy/step/schedule.hpp"
#include "convoy/step/step_plan.hpp"
#include "convoy/step/team_pool.hpp"

namespace convoy::step {

/// What one micro-batch adds to the metrics.
using MicroBatchResult = nn::LossResult;

/// Where samples come from.
struct Source {
  const data::Split* split = nullptr;
  data::InputTransform transform;
  data::Augmentation augmentation{};  ///< in training
};

/// left += right, of nodes of the tree in the form of `wire`; by all threads of the team.
void add_gradients(const kernels::KernelTable<float>& kernels, comm::Wire wire, std::int64_t size,
                   float* left, const float* right, const Team& team);

/// Sees the gradient of one micro-batch as operation `operation` computed it, before anything is added to it.
/// Called by one thread of the group; others wait.
using GradientObserver = std::function<void(std::int64_t leaf, int operation, std::span<float> parameters,
                                            std::span<float> statistics)>;

/// How an Engine computes.
struct EngineSetting {
  const kernels::KernelTable<float>& kernels;
  int threads = 1;
  std::int64_t micro_batch = 16;
  kernels::Precision precision = kernels::Precision::kFloat32;
  /// The form of every micro-batch's gradient and of sums of them; statistics stay float32.
  comm::Wire wire = comm::Wire::kFloat32;
  /// How many micro-batches a group takes through the network together, layer by layer (see traverse()); each
  /// takes a workspace.
  std::int64_t layerwise = 1;
  /// Where gradients go, [gradient_size] each, as many as any plan needs; empty: to buffers of the engine.
  std::vector<float*> slots{};
  Profile* profile = nullptr;      ///< for as many threads; books the time of steps
  Heartbeat* heartbeat = nullptr;  ///< told after every operation
};

/// What one call of Engine::gradients() computes.
struct GradientTask {
  const StepPlan& plan;
  const Source& source;
  data::Stream* stream = nullptr;  ///< of a streamed split: holds the samples
  const model::State& state;
  std::span<const std::int64_t>
      batch;  ///< samples of the whole step, all ranks; leaf i is micro-batch i of it
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  std::span<MicroBatchResult> leaves;  ///< assigned: one a leaf of plan.block
  GradientHook* hook = nullptr;
  GradientObserver observer{};  ///< empty: nobody looks
};

class Engine {
 public:
  /// `network` and what `setting` refers to must outlive it.
  Engine(const nn::Network& network, EngineSetting setting);

  /// This rank's gradients of one step. Assigns plan.groups' results to their slots (before
  /// plan.final_merges), valid until the next call, and task.leaves.
  void gradients(const GradientTask& task);

  /// The rest of a step that no other rank takes part in: plan.final_merges, then the update. `norms`: of an
  /// optimizer that asks for some; else null.
  void update(const StepPlan& plan, const model::Update& update, model::State& state,
              NormSums* norms = nullptr);

  /// Results of samples [block.begin·m, block.end·m) of the split, m the micro-batch, one a leaf. `stream`:
  /// of a streamed split, holds these samples. `confusion` ([classes][classes], row = label, column = answer;
  /// may be empty) is added to.
  void evaluate(const Source& source, const data::Stream* stream, const model::State& state,
                const Range& block, std::span<MicroBatchResult> leaves, std::span<std::int64_t> confusion);

  /// Makes the memory that steps of `plan` need; a step makes what is missing itself.
  void prepare(const StepPlan& plan);
  /// Likewise for evaluate() with blocks of up to `leaves`.
  void prepare_evaluation(std::int64_t leaves);

  /// Tells the heartbeat, if there is one, that something goes on.
  void tick() {
    if (setting_.heartbeat != nullptr) setting_.heartbeat->tick();
  }

  [[nodiscard]] int threads() const { return setting_.threads; }
  [[nodiscard]] const kernels::Planner& planner() const { return setting_.kernels.planner; }
  [[nodiscard]] std::int64_t micro_batch() const { return setting_.micro_batch; }
  [[nodiscard]] kernels::Precision precision() const { return setting_.precision; }
  /// Bytes held by the networks' activations, diffs and scratch, and by gradients.
  [[nodiscard]] std::int64_t workspace_bytes() const;
  [[nodiscard]] std::int64_t gradient_bytes() const;

 private:
  /// What one group of threads works in.
  struct Group {
    int team = 0;  // the most threads its workspace is for; 0: there is none
    std::vector<std::unique_ptr<nn::Workspace<float>>> workspaces;  // of micro-batches in hand at once
    std::vector<std::int64_t> labels;                               // of the micro-batch in hand
    std::vector<float> targets;                                     // or these
    std::vector<std::int64_t> numbers;                              // of its samples, in evaluation
  };

  /// Of the last forward(); one thread of the group.
  static MicroBatchResult loss_of(const data::Split& split, const nn::MicroBatch& micro_batch, Group& group,
                                  nn::Workspace<float>& workspace);
  void prepare_groups(std::int64_t groups, std::int64_t workspaces);
  /// A micro-batch's images into `input`. One thread.
  static void load(const GradientTask& task, const nn::MicroBatch& micro_batch, float* input);
  void run_group(const GradientTask& task, std::int64_t g, const Team& team);
  /// What follows an operation's backward pass of one micro-batch: its gradient is shown to the observer,
  /// rounded for the wire, and added to its siblings. By all threads of the team.
  void add_gradient(const GradientTask& task, const StepPlan::Leaf& leaf, int operation, const Team& team);
  /// plan.final_merges over `elements`, of parameters or of statistics. One thread.
  void finish_sums(const StepPlan& plan, const Range& elements);
  /// Calls f with stretches of the gradient vector, each of parameters or of statistics and small enough that
  /// its sum stays in the cache; different ones on different threads.
  template <class Function>
  void for_each_stretch(const Function& f);
  /// For a thread of group `group` among `groups`.
  [[nodiscard]] PartTimer timer_of(std::int64_t groups, std::int64_t group, const Team& team) const;
  [[nodiscard]] float* slot(std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    return setting_.slots.empty() ? slots_[at].data() : setting_.slots[at];
  }

  const nn::Network& network_;
  EngineSetting setting_;
  TeamPool pool_;
  std::vector<Group> groups_;
  std::vector<AlignedBuffer<float>> slots_;  // empty if the setting has some
  std::vector<OperationRanges> ranges_;      // by operation
};

}  // namespace convoy::step
