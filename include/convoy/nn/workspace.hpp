#pragma once
// The memory in which one team runs one micro-batch through a network: activations, their diffs, scratch.
// Allocated once; a pass allocates nothing.
//
// Everything lies in one piece of memory, and what is not needed at the same time shares a place
// (nn/memory_plan.hpp): an activation lives until its last reader, forward or back; a diff from the call that
// assigns it to the one that consumes it.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "convoy/core/aligned.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/nn/operations.hpp"

namespace convoy::nn {

/// A network's values: what is trained, and what follows the data.
template <class Real>
struct Values {
  const Real* parameters = nullptr;  ///< [parameter_count]
  const Real* statistics = nullptr;  ///< [statistic_count]; read in evaluation
};

/// What of a pass can be looked at after it.
enum class Keep {
  kResults,  ///< the output and the gradient
  kAll,      ///< every operation's output and diff as well
};

/// How a workspace is used.
struct WorkspaceOptions {
  int threads = 1;  ///< the largest team
  kernels::Precision precision = kernels::Precision::kFloat32;
  Keep keep = Keep::kResults;
};

template <class Real>
class Workspace {
 public:
  /// For micro-batches of up to `micro_batch` samples of `network`, which must outlive it. `planner` is that
  /// of the kernels that the passes are given.
  Workspace(const Network& network, const kernels::Planner& planner, std::int64_t micro_batch,
            const WorkspaceOptions& options = {});

  /// The input images, [B][C][H][W][16], for the caller to fill (one thread; then a barrier of the team).
  [[nodiscard]] Real* input() { return at(input_); }
  /// The network's output after forward(), [B][classes][16].
  [[nodiscard]] const Real* output() const {
    return output_of(static_cast<int>(network_.nodes().size()) - 1);
  }
  /// The output of a node after forward(), with Keep::kAll; null where a later node is fused into its call.
  [[nodiscard]] const Real* output_of(int node) const;
  /// What a node's layer saved in forward(), with Keep::kAll.
  [[nodiscard]] std::span<const std::byte> saved_by(int node) const;

  /// Runs input() through the network. Called by all threads of the team; ends with its barrier. With `first`
  /// above 0, nodes before it keep what the last forward() left (gradient checks change one layer at a time;
  /// Keep::kAll).
  void forward(const kernels::KernelTable<Real>& kernels, const Team& team, const Values<Real>& values,
               const MicroBatch& batch, int first = 0);

  /// The calls that forward() makes, in order; backward() makes them backwards (nn/operations.hpp).
  [[nodiscard]] int operation_count() const { return static_cast<int>(operations_.size()); }
  /// One of them, after those before it. As forward().
  void forward_operation(int operation, const kernels::KernelTable<Real>& kernels, const Team& team,
                         const Values<Real>& values, const MicroBatch& batch);

  /// Loss of the last forward(), and, in training, its derivative with respect to the output, kept for
  /// backward(). One thread; the caller puts a barrier after it.
  LossResult loss(const MicroBatch& batch, std::span<const std::int64_t> labels);
  /// The same against targets, [samples][outputs]; quadratic loss.
  LossResult loss(const MicroBatch& batch, std::span<const float> targets);

  /// Backpropagation of what loss() left. `gradient` ([gradient_size]) is assigned, never added to: the sum
  /// over the micro-batch's samples of ∂C/∂parameters, then samples × its statistics. All threads; ends with
  /// their barrier.
  void backward(const kernels::KernelTable<Real>& kernels, const Team& team, const Values<Real>& values,
                const MicroBatch& batch, Real* gradient);

  /// One of its calls, after those behind it: assigns its node's parameters and statistics of `gradient`.
  void backward_operation(int operation, const kernels::KernelTable<Real>& kernels, const Team& team,
                          const Values<Real>& values, const MicroBatch& batch, Real* gradient);

  /// ∂C/∂output of a node after backward(), with Keep::kAll (of a view: of what it views; of an activation
  /// fused into another layer: of that layer; of a residual sum that handed its diff on: what its block's
  /// input got).
  [[nodiscard]] const Real* diff_of(int node) const;

  /// Bytes held.
  [[nodiscard]] std::int64_t bytes() const { return memory_.size(); }

 private:
  static constexpr std::int64_t kNowhere = -1;

  /// An operation's place in memory: offsets in bytes, kNowhere for what it does not have.
  struct Place {
    std::int64_t output = kNowhere;
    std::int64_t diff = kNowhere;
    std::int64_t saved = kNowhere;
    std::int64_t saved_bytes = 0;
    /// Which of the diffs it hands on were assigned by a later operation, so that its own is added.
    std::array<bool, kMostInputs> adds{};
    bool adds_to_addend = false;  ///< the addend's diff likewise
  };

  /// Null where nothing goes back.
  [[nodiscard]] Real* diff_of_output(const MicroBatch& batch);
  [[nodiscard]] Real* at(std::int64_t offset) {
    return offset == kNowhere ? nullptr : reinterpret_cast<Real*>(memory_.data() + offset);
  }
  [[nodiscard]] const Real* at(std::int64_t offset) const {
    return offset == kNowhere ? nullptr : reinterpret_cast<const Real*>(memory_.data() + offset);
  }
  /// The operation that makes a node's output, through views; −1: the network's input.
  [[nodiscard]] int maker_of(int node) const;
  [[nodiscard]] Real* output_at(int node);
  [[nodiscard]] Real* diff_at(int node);
  void plan_diffs();
  /// When each buffer is used, and its bytes.
  struct Lifetimes;
  /// Also assigns places_[i].saved_bytes.
  [[nodiscard]] Lifetimes plan_lifetimes(const CallSetting& setting);
  void lay_out(const CallSetting& setting, Keep keep);
  Pass<Real> pass_of(std::size_t operation, const kernels::KernelTable<Real>& kernels, const Team& team,
                     const Values<Real>& values, const MicroBatch& batch);
  /// `to` += `from`, all of a node's output.
  void add(const kernels::KernelTable<Real>& kernels, const Team& team, const MicroBatch& batch, int node,
           const Real* from, Real* to) const;

  const Network& network_;
  kernels::Precision precision_;
  std::vector<Operation> operations_;
  std::vector<int>
      makers_;  // by node: the operation that gives its output, −1 for views and what is fused away
  std::vector<Place> places_;     // by operation
  std::vector<int> diff_owners_;  // by operation: whose diff's place it uses (its own, or its reader's)
  AlignedBuffer<std::byte> memory_;
  std::int64_t input_ = kNowhere;
  std::int64_t spare_ = kNowhere;  // a diff on its way into a sum
  std::int64_t scratch_ = kNowhere;
};

}  // namespace convoy::nn
