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
#include "convoy/io/io_thread.hpp"
#include "convoy/model/state.hpp"
#include "convoy/nn/workspace.hpp"
#include "convoy/step/buckets.hpp"
#include "convoy/step/profile.hpp"
#include "convoy/step/step_plan.hpp"
#include "convoy/step/team_pool.hpp"
#include "convoy/step/watchdog.hpp"

namespace convoy::step {

/// What one micro-batch adds to the metrics.
using LeafResult = nn::LossResult;

/// Where samples come from.
struct Source {
  const data::Split* split = nullptr;
  data::InputTransform transform;
  data::Augmentation augmentation{};  ///< in training
  data::Stream* stream = nullptr;     ///< for training on a streamed split
  io::IoThread* io_thread = nullptr;  ///< for evaluation on a streamed split
};

/// What goes on beside a step's computation: called by all of the engine's threads, between kernels. Nothing
/// may be thrown; waiting is allowed.
class GradientHook {
 public:
  virtual ~GradientHook() = default;
  /// Before a group's first micro-batch goes through operation `operation` (nn/operations.hpp), forward.
  virtual void before(int operation, int thread) noexcept = 0;
  /// After a call of some operation.
  virtual void between(int thread) noexcept = 0;
  /// All of a group's micro-batches have gone back through `operation`, and what could be added of its
  /// gradient within the group has been. `is_first`: of the group's threads.
  virtual void after(int operation, int thread, bool is_first) noexcept = 0;
  /// This thread has nothing left to compute in the step.
  virtual void finish(int thread) noexcept = 0;
};

/// left += right, of nodes of the tree in the form of `wire`; by all threads of the team.
void add_gradients(const kernels::KernelTable<float>& kernels, comm::Wire wire, std::int64_t size,
                   float* left, const float* right, const Team& team);

/// Sees the gradient of one micro-batch as operation `operation` computed it, before anything is added to it.
/// Called by one thread of the group; others wait.
using GradientTap = std::function<void(std::int64_t leaf, int operation, std::span<float> parameters,
                                       std::span<float> statistics)>;

class Engine {
 public:
  /// For `network` on `threads` threads. `network` must outlive it.
  Engine(const nn::Network& network, const kernels::KernelTable<float>& kernels, int threads,
         std::int64_t micro_batch, kernels::Precision precision);

  /// Books the time of later steps in `profile`, made for as many threads; null, the default: nowhere.
  void set_profile(Profile* profile) { profile_ = profile; }
  /// Tells that it gets on, operation by operation; null, the default: nobody.
  void set_watchdog(Watchdog* watchdog) { watchdog_ = watchdog; }

  /// Gradients go to these buffers ([gradient_size] each), as many as any plan needs, instead of the engine's
  /// own.
  void use_slots(std::vector<float*> slots) { borrowed_slots_ = std::move(slots); }
  /// How many micro-batches a group takes through the network together, layer by layer (see traverse()); each
  /// takes a workspace. 1, the default: one after the other.
  void set_layerwise(std::int64_t micro_batches) { layerwise_ = micro_batches; }
  /// For later calls of gradients(); empty, the default: nobody looks.
  void set_tap(GradientTap tap) { tap_ = std::move(tap); }
  /// The form of every micro-batch's gradient and of sums of them; statistics stay float32.
  void set_wire(comm::Wire wire) { wire_ = wire; }

  /// This rank's gradients of one step. `batch` are the samples of the whole step, all ranks; leaf i is
  /// micro-batch i of it. Assigns plan.groups' results to their slots (before plan.final_merges), valid until
  /// the next call, and `leaves` (one a leaf of plan.block).
  void gradients(const StepPlan& plan, const Source& source, const model::State& state,
                 std::span<const std::int64_t> batch, std::uint64_t seed, std::int64_t epoch,
                 std::span<LeafResult> leaves, GradientHook* hook = nullptr);

  /// The rest of a step that no other rank takes part in: plan.final_merges, then the update.
  void update(const StepPlan& plan, const model::Update& update, model::State& state);

  /// Results of samples [block.begin·m, block.end·m) of the split, m the micro-batch, one a leaf. `confusion`
  /// ([classes][classes], row = label, column = answer; may be empty) is added to.
  void evaluate(const Source& source, const model::State& state, const Range& block,
                std::span<LeafResult> leaves, std::span<std::int64_t> confusion);

  /// Makes the memory that steps of `plan` need; a step makes what is missing itself.
  void prepare(const StepPlan& plan);
  /// Likewise for evaluate() with blocks of up to `leaves`.
  void prepare_evaluation(std::int64_t leaves);

  /// Tells the watchdog, if there is one, that something goes on.
  void tick() {
    if (watchdog_ != nullptr) watchdog_->tick();
  }

  [[nodiscard]] int threads() const { return pool_.threads(); }
  [[nodiscard]] const kernels::Planner& planner() const { return kernels_.planner; }
  [[nodiscard]] std::int64_t micro_batch() const { return micro_batch_; }
  [[nodiscard]] kernels::Precision precision() const { return precision_; }
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
  static LeafResult loss_of(const data::Split& split, const nn::MicroBatch& micro_batch, Group& group,
                            nn::Workspace<float>& workspace);
  void prepare_groups(std::int64_t groups, std::int64_t workspaces);
  void run_group(const StepPlan& plan, std::int64_t g, const Team& team, const Source& source,
                 const model::State& state, std::span<const std::int64_t> batch, std::uint64_t seed,
                 std::int64_t epoch, std::span<LeafResult> leaves, GradientHook* hook);
  /// For a thread of group `group` among `groups`.
  [[nodiscard]] PartTimer timer_of(std::int64_t groups, std::int64_t group, const Team& team) const;
  [[nodiscard]] float* slot(std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    return borrowed_slots_.empty() ? slots_[at].data() : borrowed_slots_[at];
  }

  const nn::Network& network_;
  const kernels::KernelTable<float>& kernels_;
  TeamPool pool_;
  std::int64_t micro_batch_;
  kernels::Precision precision_;
  Profile* profile_ = nullptr;
  Watchdog* watchdog_ = nullptr;
  std::vector<Group> groups_;
  std::vector<AlignedBuffer<float>> slots_;
  std::vector<float*> borrowed_slots_;
  std::int64_t layerwise_ = 1;
  comm::Wire wire_ = comm::Wire::kFloat32;
  GradientTap tap_;
  std::vector<OperationRanges> ranges_;  // by operation
};

}  // namespace convoy::step
