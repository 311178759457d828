#pragma once
// The interface of a layer: shapes and parameters declared at construction, and two passes over memory that
// the caller owns.
//
// A layer holds no data, so several threads and micro-batches may use one network at the same time; the
// Workspace provides the memory. A layer does not depend on ranks, files or the optimizer. To add a layer: a
// file in src/layers and a line in src/layers/registry.cpp (src/README.md).

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/kernels/kernels.hpp"
#include "convoy/layers/attributes.hpp"
#include "convoy/layers/initializer.hpp"

namespace convoy::nn {

/// A trained tensor of a layer.
struct Parameter {
  std::string name;  ///< "weight", "bias"
  Dims dims;         ///< logical extents
  Initializer initializer = Initializer::kZeros;
  bool decays = false;  ///< weight decay applies
  std::int64_t fan_in = 0;
  std::int64_t fan_out = 0;
};

/// A tensor updated from the data, not from a gradient ("running_mean"), once per step:
/// running ← (1 − momentum)·running + momentum·average over the step's samples (PyTorch's momentum).
struct Statistic {
  std::string name;
  Dims dims;
  Initializer initializer = Initializer::kZeros;
  double momentum = 0.1;  ///< in [0, 1]
};

/// The mode of a pass.
enum class Phase { kTraining, kEvaluation };

/// The effect of a layer on the initial weights of the layer before.
enum class Nonlinearity {
  kNone,       ///< no effect: the next layer decides (pooling, batchnorm, dropout, flatten, add)
  kRectifier,  ///< He et al. 2015: normal, variance Traits::he_gain / fan_in
  kOther,      ///< Glorot & Bengio 2010; also for another layer with weights, and the loss
};

/// The micro-batch of a pass.
struct MicroBatch {
  Phase phase = Phase::kTraining;
  std::span<const std::int64_t> samples;  ///< indices in the data set, keys of the random masks
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(samples.size()); }
  [[nodiscard]] std::int64_t blocks() const { return lane_blocks(size()); }
};

/// Maximum number of inputs of a layer.
inline constexpr std::size_t kMostInputs = 2;

/// Memory and context of one call of a layer. Images are in lane blocks (core/layout.hpp). All threads of the
/// team pass the same values; a call ends with a barrier of the team.
template <class Real>
struct Pass {
  const kernels::KernelTable<Real>& kernels;
  Team team;
  const MicroBatch& batch;
  Precision precision = Precision::kFloat32;  ///< operand precision of conv and dense

  std::array<const Real*, kMostInputs> src{};  ///< the layer's inputs
  Real* dst = nullptr;                         ///< the output: assigned by forward, read by backward
  Epilogue<Real> epilogue{};         ///< applied to dst at the end of forward (Traits::takes_epilogue)
  const Real* parameters = nullptr;  ///< all parameters, concatenated in their declared order
  const Real* statistics = nullptr;  ///< all statistics likewise; read in evaluation

  Real* diff_dst = nullptr;  ///< backward: ∂C/∂dst; may be overwritten (Traits::differentiates_activation)
  std::array<Real*, kMostInputs> diff_src{};  ///< backward: assigned ∂C/∂src; null if not wanted
  Update update = Update::kAssign;            ///< of diff_src[0] (Traits::adds_diff_src)
  Real* diff_parameters = nullptr;            ///< backward: assigned, Σ over the micro-batch's samples
  Real* batch_statistics = nullptr;           ///< backward: assigned samples × the micro-batch's statistics

  std::byte* saved = nullptr;  ///< saved_bytes() bytes, kept from forward to backward
  Real* scratch = nullptr;     ///< scratch_size() elements, usable during a call
};

/// Inputs of the plans of a layer's calls, besides the layer.
struct CallSetting {
  const kernels::Planner& planner;  ///< of the kernel table used in the calls
  std::int64_t blocks = 1;          ///< maximum lane blocks of a micro-batch
  int threads = 1;                  ///< size of the largest team
  Precision precision = Precision::kFloat32;
};

/// Properties of a layer that other code uses: the plan of a network (passes/operations.hpp,
/// passes/workspace.hpp), the initial weights, gradient checks.
struct Traits {
  /// The effect on the initial weights of the layer before.
  Nonlinearity nonlinearity = Nonlinearity::kNone;
  double he_gain = 2;  ///< of a rectifier: 2 / (1 + slope²), slope for negative inputs
  /// The layer's elementwise function, which the layer before could apply to its results.
  Activation activation{};
  bool gives_probabilities = false;  ///< softmax, sigmoid: cross-entropy losses apply these themselves
  bool is_view = false;              ///< the output is the input with another shape: no memory, no passes
  bool is_sum = false;               ///< the output is the sum of the inputs and nothing else
  /// The derivative jumps if the set of positive outputs or the saved data changes (relu, maxpool).
  bool has_kinks = false;
  bool takes_epilogue = false;  ///< forward applies pass.epilogue
  /// backward multiplies diff_dst in place by the derivative of the epilogue's activation; if false, the
  /// caller does.
  bool differentiates_activation = false;
  bool adds_diff_src = false;      ///< backward adds to diff_src[0] if pass.update is kAdd
  bool backward_reads_src = true;  ///< src must be kept for backward
  bool backward_reads_dst = true;
};

class Layer {
 public:
  virtual ~Layer() = default;

  /// Shape of the output, fixed at construction.
  [[nodiscard]] virtual Shape output() const = 0;
  /// First word of the layer's configuration line: "conv".
  [[nodiscard]] virtual std::string_view keyword() const = 0;
  /// Passes all attributes of the layer to `visitor` (nn/attributes.hpp): a line of the keyword and these
  /// attributes makes an equal layer.
  virtual void visit(AttributeVisitor& /*visitor*/) const {}
  /// The configuration line of the layer, without defaults: "conv 20 5x5".
  [[nodiscard]] std::string description() const;
  [[nodiscard]] virtual Traits traits() const { return {}; }

  [[nodiscard]] virtual std::vector<Parameter> parameters() const { return {}; }
  [[nodiscard]] virtual std::vector<Statistic> statistics() const { return {}; }
  /// The algorithms of its passes, for reports; empty if there is no choice. `wants_diff_src`: the input's
  /// diff is needed.
  [[nodiscard]] virtual std::string algorithms(const CallSetting& /*setting*/,
                                               bool /*wants_diff_src*/) const {
    return {};
  }
  /// Multiplications of one forward pass over one sample, without those with padding. Backward needs as many
  /// for the parameters, and as many for the input if its diff is wanted.
  [[nodiscard]] virtual std::int64_t multiplications() const { return 0; }

  /// Bytes to keep from forward to backward, for `blocks` lane blocks of `real_size`-byte numbers.
  [[nodiscard]] virtual std::int64_t saved_bytes(std::int64_t /*blocks*/, std::int64_t /*real_size*/) const {
    return 0;
  }
  /// Scratch elements that a call may use.
  [[nodiscard]] virtual std::int64_t scratch_size(const CallSetting& /*setting*/) const { return 0; }

  virtual void forward(const Pass<float>& pass) const = 0;
  virtual void forward(const Pass<double>& pass) const = 0;
  virtual void backward(const Pass<float>& pass) const = 0;
  virtual void backward(const Pass<double>& pass) const = 0;
};

/// Total elements of a layer's parameters.
[[nodiscard]] inline std::int64_t parameter_count(const Layer& layer) {
  std::int64_t size = 0;
  for (const Parameter& parameter : layer.parameters()) size += count(parameter.dims);
  return size;
}

/// Implements each pass for float (training) and double (gradient checks) from one template: Derived has
/// `template <class Real> void run_forward(const Pass<Real>&) const`, and run_backward likewise.
template <class Derived>
class LayerOf : public Layer {
 public:
  void forward(const Pass<float>& pass) const final { self().run_forward(pass); }
  void forward(const Pass<double>& pass) const final { self().run_forward(pass); }
  void backward(const Pass<float>& pass) const final { self().run_backward(pass); }
  void backward(const Pass<double>& pass) const final { self().run_backward(pass); }

 private:
  [[nodiscard]] const Derived& self() const { return static_cast<const Derived&>(*this); }
};

}  // namespace convoy::nn
