#pragma once
// The memory for one team to run one micro-batch through a network: activations, their diffs, scratch.
// Allocated once; a pass allocates nothing.
//
// All buffers lie in one block of memory; buffers with disjoint lifetimes share addresses
// (passes/memory_plan.hpp). An activation lives until its last reader, forward or backward; a diff from the
// call that assigns it to the call that consumes it.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "convoy/core/aligned.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/passes/memory_plan.hpp"
#include "convoy/passes/operations.hpp"

namespace convoy::passes {

/// A network's values: trained parameters, and statistics of the data.
template <class Real>
struct Values {
  const Real* parameters = nullptr;  ///< [parameter_count]
  const Real* statistics = nullptr;  ///< [statistic_count]; read in evaluation
};

/// Buffers that stay readable after a pass.
enum class Keep {
  kResults,  ///< the output and the gradient
  kAll,      ///< also every operation's output and diff
};

/// Options of a workspace.
struct WorkspaceOptions {
  int threads = 1;  ///< the largest team
  Precision precision = Precision::kFloat32;
  Keep keep = Keep::kResults;
  bool trains = true;  ///< false: only forward() in evaluation; no memory for diffs
  int apart = 0;       ///< operations of forward_apart(), at most all; above 0 only if it does not train
};

template <class Real>
class Workspace {
 public:
  /// For micro-batches of up to `micro_batch` samples. `network` must outlive the workspace. `planner`
  /// belongs to the kernels used in the passes.
  Workspace(const nn::Network& network, const kernels::Planner& planner, std::int64_t micro_batch,
            const WorkspaceOptions& options = {});

  /// The input images, [B][C][H][W][16], filled by the caller (one thread; then a barrier of the team). From
  /// lane block `block` on: that of the next forward_apart().
  [[nodiscard]] Real* input(std::int64_t block = 0) { return output_at(nn::kNetworkInput, block); }
  /// The network's output after forward(), [B][classes][16].
  [[nodiscard]] const Real* output() const {
    return output_of(static_cast<int>(network_.nodes().size()) - 1);
  }
  /// The output of a node after forward() with Keep::kAll, or right after its call; null if it has none.
  [[nodiscard]] const Real* output_of(int node) const;
  /// The data saved by a node's layer in forward(), with Keep::kAll.
  [[nodiscard]] std::span<const std::byte> saved_by(int node) const;

  /// Runs input() through the network. All threads of the team call it; ends with a barrier of the team. With
  /// `first` > 0, the nodes before `first` keep the results of the last forward() (gradient checks change one
  /// layer at a time; needs Keep::kAll). Precondition: WorkspaceOptions::apart is 0.
  void forward(const kernels::KernelTable<Real>& kernels, const Team& team, const Values<Real>& values,
               const nn::MicroBatch& batch, int first = 0);

  /// The same in two parts, for evaluation of several lane blocks with WorkspaceOptions::apart: the first
  /// operations for each block in turn, `batch` being its samples; then the others for all of them.
  void forward_apart(const kernels::KernelTable<Real>& kernels, const Team& team, const Values<Real>& values,
                     const nn::MicroBatch& batch, std::int64_t block);
  void forward_together(const kernels::KernelTable<Real>& kernels, const Team& team,
                        const Values<Real>& values, const nn::MicroBatch& batch);

  /// Number of calls of forward(); backward() makes them in reverse order (passes/operations.hpp).
  [[nodiscard]] int operation_count() const { return static_cast<int>(operations_.size()); }
  /// One call of forward(), or of forward_apart() for `block`; the previous calls must be done. Otherwise as
  /// forward().
  void forward_operation(int operation, const kernels::KernelTable<Real>& kernels, const Team& team,
                         const Values<Real>& values, const nn::MicroBatch& batch, std::int64_t block = 0);

  /// Loss of the last forward(), of the samples from lane block `block` on; in training also its derivative
  /// with respect to the output, kept for backward(). One thread calls; the caller adds a barrier after it.
  nn::LossResult loss(const nn::MicroBatch& batch, std::span<const std::int64_t> labels,
                      std::int64_t block = 0);
  /// The same for targets, [samples][outputs]; if the loss takes them (nn::takes_targets()).
  nn::LossResult loss(const nn::MicroBatch& batch, std::span<const float> targets, std::int64_t block = 0);

  /// Backpropagation from the derivative of loss(). Assigns `gradient` ([gradient_size]): the sum over the
  /// micro-batch's samples of ∂C/∂parameters, then samples × its statistics. All threads of the team call it;
  /// ends with a barrier of the team.
  void backward(const kernels::KernelTable<Real>& kernels, const Team& team, const Values<Real>& values,
                const nn::MicroBatch& batch, Real* gradient);

  /// One call of backward(); the calls after it in forward order must be done. Assigns the node's parameters
  /// and statistics in `gradient`.
  void backward_operation(int operation, const kernels::KernelTable<Real>& kernels, const Team& team,
                          const Values<Real>& values, const nn::MicroBatch& batch, Real* gradient);

  /// ∂C/∂output of a node after backward(), with Keep::kAll. For a view: the diff of the viewed node; for a
  /// fused activation: the diff of its layer; for a residual sum that passed its buffer on: the diff of its
  /// block's input.
  [[nodiscard]] const Real* diff_of(int node) const;

  /// Bytes allocated.
  [[nodiscard]] std::int64_t bytes() const { return memory_.size(); }

 private:
  static constexpr std::int64_t kNowhere = -1;

  /// An operation's buffers: offsets in bytes, kNowhere for missing ones.
  struct Place {
    std::int64_t output = kNowhere;
    std::int64_t diff = kNowhere;
    std::int64_t saved = kNowhere;
    std::int64_t saved_bytes = 0;
    bool has_all_blocks = true;  ///< the output; false: that of one lane block
    /// By input: true if a later operation assigned the input's diff, so that this one adds to it.
    std::array<bool, nn::kMostInputs> adds{};
    bool adds_to_addend = false;  ///< the same for the addend's diff
  };

  /// That of the network in training; in evaluation the plain one, so that runs can be compared.
  [[nodiscard]] const nn::LossFunction& loss_in(nn::Phase phase) const {
    return phase == nn::Phase::kTraining ? network_.loss() : plain_loss_;
  }
  /// Null if there is no backward pass.
  [[nodiscard]] Real* diff_of_output(const nn::MicroBatch& batch);
  [[nodiscard]] Real* at(std::int64_t offset) {
    return offset == kNowhere ? nullptr : reinterpret_cast<Real*>(memory_.data() + offset);
  }
  [[nodiscard]] const Real* at(std::int64_t offset) const {
    return offset == kNowhere ? nullptr : reinterpret_cast<const Real*>(memory_.data() + offset);
  }
  /// The operation that computes a node's output, through views; −1: the network's input.
  [[nodiscard]] int maker_of(int node) const;
  [[nodiscard]] Real* output_at(int node, std::int64_t block = 0);
  [[nodiscard]] Real* diff_at(int node);
  void plan_diffs();
  /// When each buffer is used, and its bytes.
  struct Lifetimes;
  /// Also assigns places_[i].saved_bytes.
  [[nodiscard]] Lifetimes plan_lifetimes(const nn::CallSetting& setting, bool trains);
  /// A diff in its reader's buffer needs none, and lengthens the reader's lifetime.
  void share_diffs(std::vector<BufferLifetime>& diffs) const;
  /// For forward_apart(): which buffers have one lane block; the others last through all of its calls.
  void keep_apart(Lifetimes& planned, std::int64_t blocks);
  void lay_out(const nn::CallSetting& setting, const WorkspaceOptions& options);
  nn::Pass<Real> pass_of(std::size_t operation, const kernels::KernelTable<Real>& kernels, const Team& team,
                         const Values<Real>& values, const nn::MicroBatch& batch, std::int64_t block = 0);
  /// `to` += `from`, all of a node's output.
  void add(const kernels::KernelTable<Real>& kernels, const Team& team, const nn::MicroBatch& batch, int node,
           const Real* from, Real* to) const;

  const nn::Network& network_;
  nn::LossFunction plain_loss_;
  Precision precision_;
  std::vector<Operation> operations_;
  std::vector<int> makers_;    // by node: the operation of its output; −1 for views and fused-away outputs
  std::vector<Place> places_;  // by operation
  std::vector<int> diff_owners_;  // by operation: the owner of its diff buffer (itself or its reader)
  AlignedBuffer<std::byte> memory_;
  int apart_;
  bool input_has_all_blocks_ = true;
  std::int64_t input_ = kNowhere;
  std::int64_t spare_ = kNowhere;  // a diff to be added to another
  std::int64_t scratch_ = kNowhere;
};

}  // namespace convoy::passes
