#pragma once
// Computes one rank's share of a step: its micro-batches through the network on its threads. Also computes
// evaluation.
//
// One parallel region per step. The threads form groups. A group computes whole micro-batches one after the
// other (forward, loss, backward) and adds gradients along the tree as soon as two siblings are complete. If
// there are fewer micro-batches than threads, a group is a team of several threads. No communication here:
// GradientHook is the only connection to it.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "convoy/comm/wire.hpp"
#include "convoy/core/aligned.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/data/stream.hpp"
#include "convoy/model/norm_sums.hpp"
#include "convoy/model/state.hpp"
#include "convoy/passes/workspace.hpp"
#include "convoy/step/buckets.hpp"
#include "convoy/step/heartbeat.hpp"
#include "convoy/step/profile.hpp"
#include "convoy/step/schedule.hpp"
#include "convoy/step/step_plan.hpp"
#include "convoy/step/team_pool.hpp"

namespace convoy::step {

/// The contribution of one micro-batch to the metrics.
using MicroBatchResult = nn::LossResult;

/// The samples to compute on.
struct Source {
  const data::Split* split = nullptr;
  data::InputTransform transform;
  data::Augmentation augmentation{};  ///< used in training
};

/// left += right, for tree nodes in the format of `wire`. All threads of the team call.
void add_gradients(const kernels::KernelTable<float>& kernels, comm::Wire wire, std::int64_t size,
                   float* left, const float* right, const Team& team);

/// Receives the gradient of one micro-batch as operation `operation` computed it, before any addition. One
/// thread of the group calls it; the others wait.
using GradientObserver = std::function<void(std::int64_t leaf, int operation, std::span<float> parameters,
                                            std::span<float> statistics)>;

/// Receives the output of operation `operation` for one micro-batch, as GradientObserver its gradient.
using OutputObserver = std::function<void(std::int64_t leaf, int operation, std::span<const float> output)>;

/// Settings of an Engine.
struct EngineSetting {
  const kernels::KernelTable<float>& kernels;
  int threads = 1;
  std::int64_t micro_batch = 16;
  Precision precision = Precision::kFloat32;
  bool trains = true;  ///< false: only evaluate(), in less memory
  /// Number of micro-batches that evaluate() takes through the last operations together
  /// (passes::operations_apart()); more than 1 only if `trains` is false and a micro-batch is one lane block.
  std::int64_t together = 1;
  /// Format of each micro-batch's gradient and of sums of gradients; statistics stay float32.
  comm::Wire wire = comm::Wire::kFloat32;
  /// Number of micro-batches that a group takes through the network together, layer by layer (see
  /// traverse()). Each needs its own workspace.
  std::int64_t layerwise = 1;
  /// Gradient buffers, [gradient_size] each, as many as any plan needs. Empty: the engine allocates its own.
  std::vector<float*> slots{};
  Profile* profile = nullptr;      ///< for at least `threads` threads; records the time of steps
  Heartbeat* heartbeat = nullptr;  ///< ticked after every operation
};

/// Input and output of one call of Engine::gradients().
struct GradientTask {
  const StepPlan& plan;
  const Source& source;
  data::Stream* stream = nullptr;  ///< holds the samples of a streamed split
  const model::State& state;
  std::span<const std::int64_t> batch;  ///< samples of the whole step, all ranks; leaf i is micro-batch i
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  std::span<MicroBatchResult> leaves;  ///< assigned: one per leaf of plan.block
  GradientHook* hook = nullptr;
  GradientObserver observer{};  ///< empty: no observer
  OutputObserver outputs{};     ///< likewise
};

class Engine {
 public:
  /// `network` and all objects in `setting` must outlive the engine.
  Engine(const nn::Network& network, EngineSetting setting);

  /// Computes this rank's gradients of one step. Assigns the results of plan.groups to their slots (before
  /// plan.final_merges), valid until the next call. Assigns task.leaves.
  void gradients(const GradientTask& task);

  /// Completes a step on a single rank: plan.final_merges, then the update. `norms`: required if the
  /// optimizer uses norms, else null.
  void update(const StepPlan& plan, const model::Update& update, model::State& state,
              model::NormSums* norms = nullptr);

  /// Evaluates samples [block.begin·m, block.end·m) of the split (m: the micro-batch size). Assigns `leaves`,
  /// one result per leaf (0 without labels and targets), and `outputs`, [samples][outputs of the network]
  /// (empty: not wanted). `stream`: holds these samples if the split is streamed.
  void evaluate(const Source& source, const data::Stream* stream, const model::State& state,
                const Range& block, std::span<MicroBatchResult> leaves, std::span<float> outputs = {});

  /// Allocates the memory for steps of `plan`. Without this call, the first step allocates it.
  void prepare(const StepPlan& plan);
  /// The same for evaluate() with blocks of up to `leaves` leaves.
  void prepare_evaluation(std::int64_t leaves);

  /// Ticks the heartbeat, if there is one.
  void tick() {
    if (setting_.heartbeat != nullptr) setting_.heartbeat->tick();
  }

  [[nodiscard]] int threads() const { return setting_.threads; }
  [[nodiscard]] const kernels::Planner& planner() const { return setting_.kernels.planner; }
  [[nodiscard]] std::int64_t micro_batch() const { return setting_.micro_batch; }
  [[nodiscard]] Precision precision() const { return setting_.precision; }
  /// Outputs of the network.
  [[nodiscard]] std::int64_t outputs() const { return network_.classes(); }
  /// Bytes of the networks' activations, diffs and scratch, and bytes of gradients.
  [[nodiscard]] std::int64_t workspace_bytes() const;
  [[nodiscard]] std::int64_t gradient_bytes() const;

 private:
  /// Working memory of one group of threads.
  struct Group {
    int team = 0;  // largest team the workspace supports; 0: no workspace
    std::vector<std::unique_ptr<passes::Workspace<float>>>
        workspaces;                     // of the group's current micro-batches
    std::vector<std::int64_t> labels;   // of the current micro-batch
    std::vector<float> targets;         // instead of labels, if the split has targets
    std::vector<std::int64_t> numbers;  // sample numbers of the micro-batches, in evaluation
  };

  /// Loss of the last forward(), of the samples from lane block `block` on. One thread of the group calls.
  static MicroBatchResult loss_of(const data::Split& split, const nn::MicroBatch& micro_batch, Group& group,
                                  passes::Workspace<float>& workspace, std::int64_t block = 0);
  void prepare_groups(std::int64_t groups, std::int64_t workspaces);
  /// A micro-batch's images into `input`. One thread.
  static void load(const GradientTask& task, const nn::MicroBatch& micro_batch, float* input);
  void run_group(const GradientTask& task, std::int64_t g, const Team& team);
  /// Calls task.outputs. All threads of the team call.
  void show_output(const GradientTask& task, std::int64_t leaf, int operation, const nn::MicroBatch& batch,
                   const passes::Workspace<float>& workspace, const Team& team) const;
  /// Processes an operation's gradient of one micro-batch after backward: calls the observer, rounds to the
  /// wire format, adds to siblings. All threads of the team call.
  void add_gradient(const GradientTask& task, const StepPlan::Leaf& leaf, int operation, const Team& team);
  /// plan.final_merges over `elements`, all parameters or all statistics. One thread.
  void finish_sums(const StepPlan& plan, const Range& elements);
  /// Calls f with ranges of the gradient vector, on different threads. Each range has only parameters or only
  /// statistics, and is small enough for its sum to stay in the cache.
  template <class Function>
  void for_each_stretch(const Function& f);
  /// Timer for a thread of group `group` of `groups`.
  [[nodiscard]] PartTimer timer_of(std::int64_t groups, std::int64_t group, const Team& team) const;
  [[nodiscard]] float* slot(std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    return setting_.slots.empty() ? slots_[at].data() : setting_.slots[at];
  }

  const nn::Network& network_;
  EngineSetting setting_;
  TeamPool pool_;
  std::vector<Group> groups_;
  std::vector<AlignedBuffer<float>> slots_;      // empty if the setting provides slots
  std::vector<passes::OperationRanges> ranges_;  // by operation
  std::vector<passes::Operation> operations_;
  int apart_;  // WorkspaceOptions::apart
};

}  // namespace convoy::step
