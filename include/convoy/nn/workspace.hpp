#pragma once
// The memory in which one team runs one micro-batch through a network: activations, their diffs, scratch.
// Allocated once; a pass allocates nothing.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "convoy/core/aligned.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::nn {

/// A network's values: what is trained, and what follows the data.
template <class Real>
struct Values {
  const Real* parameters = nullptr;  ///< [parameter_count]
  const Real* statistics = nullptr;  ///< [statistic_count]; read in evaluation
};

template <class Real>
class Workspace {
 public:
  /// For micro-batches of up to `micro_batch` samples of `network`, which must outlive it, and teams of up to
  /// `threads`.
  Workspace(const Network& network, std::int64_t micro_batch, int threads = 1);

  /// The input pictures, [B][C][H][W][16], for the caller to fill (one thread; then a barrier of the team).
  [[nodiscard]] Real* input() { return input_.data(); }
  /// The network's output after forward(), [B][classes][16].
  [[nodiscard]] const Real* output() const { return outputs_.back(); }
  /// The output of a node after forward().
  [[nodiscard]] const Real* output_of(int node) const { return outputs_[static_cast<std::size_t>(node)]; }
  /// What a node's layer saved in forward().
  [[nodiscard]] std::span<const std::byte> saved_by(int node) const;

  /// Runs input() through the network. Called by all threads of the team; ends with its barrier. With `first`
  /// above 0, nodes before it keep what the last forward() left (gradient checks change one layer at a time).
  void forward(const kernels::KernelTable<Real>& kernels, const Team& team, const Values<Real>& values,
               const MicroBatch& batch, int first = 0);

  /// Loss of the last forward(), and, in training, its derivative with respect to the output, kept for
  /// backward(). One thread; the caller puts a barrier after it.
  LossResult loss(const MicroBatch& batch, std::span<const std::int64_t> labels);

  /// Backpropagation of what loss() left. `gradient` ([gradient_size]) is assigned, never added to: the sum
  /// over the micro-batch's samples of ∂C/∂parameters, then samples × its statistics. All threads; ends with
  /// their barrier.
  void backward(const kernels::KernelTable<Real>& kernels, const Team& team, const Values<Real>& values,
                const MicroBatch& batch, Real* gradient);

  /// ∂C/∂output of a node after backward() (of a view: of what it views).
  [[nodiscard]] const Real* diff_of(int node) const { return diffs_[static_cast<std::size_t>(node)]; }

  /// Bytes held.
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  Pass<Real> pass_of(int node, const kernels::KernelTable<Real>& kernels, const Team& team,
                     const Values<Real>& values, const MicroBatch& batch);
  [[nodiscard]] Real* reserve(std::int64_t elements);

  const Network& network_;
  AlignedBuffer<Real> input_;
  std::vector<AlignedBuffer<Real>> memory_;
  std::vector<AlignedBuffer<std::byte>> saved_;
  std::vector<Real*> outputs_;  // by node; a view shares its input's
  std::vector<Real*> diffs_;
  /// By node and input: true if the input's diff was assigned by a later node, so that this one's is added to
  /// it.
  std::vector<std::array<bool, kMostInputs>> adds_;
  Real* spare_ = nullptr;  // a diff on its way into a sum
  Real* scratch_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace convoy::nn
