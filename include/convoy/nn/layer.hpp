#pragma once
// What a layer is: shapes and parameters declared at construction, and two passes over memory it does not
// own.
//
// A layer holds no data, so one network serves any number of threads and micro-batches at a time; the
// Workspace hands it memory. It knows nothing of ranks, files or the optimizer. To add one: a file in
// src/nn/layers and a line in src/nn/registry.cpp (src/README.md).

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/kernels/kernels.hpp"
#include "convoy/nn/attributes.hpp"

namespace convoy::nn {

/// How a parameter starts.
enum class Initializer {
  kWeights,  ///< by what follows the layer (Nonlinearity), from fan_in and fan_out
  kZeros,
  kOnes,
};

/// A trained tensor of a layer.
struct Parameter {
  std::string name;  ///< "weight", "bias"
  Dims dims;         ///< logical extents
  Initializer initializer = Initializer::kZeros;
  bool decays = false;  ///< weight decay applies
  std::int64_t fan_in = 0;
  std::int64_t fan_out = 0;
};

/// A tensor that follows the data instead of a gradient ("running_mean"): once a step,
/// running ← (1 − momentum)·running + momentum·average over the step's samples (PyTorch's momentum).
struct Statistic {
  std::string name;
  Dims dims;
  Initializer initializer = Initializer::kZeros;
  double momentum = 0.1;  ///< in [0, 1]
};

/// Which mode a pass runs in.
enum class Phase { kTraining, kEvaluation };

/// What a layer does to the choice of the initial weights before it.
enum class Nonlinearity {
  kNone,       ///< transparent: look at the next layer (pooling, batchnorm, dropout, flatten, add)
  kRectifier,  ///< He et al. 2015: normal, of variance Traits::he_gain / fan_in
  kOther,      ///< Glorot & Bengio 2010; also a further layer with weights, and the loss
};

/// The micro-batch a pass is about.
struct MicroBatch {
  Phase phase = Phase::kTraining;
  std::span<const std::int64_t> samples;  ///< numbers in the data set, the keys of random masks
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(samples.size()); }
  [[nodiscard]] std::int64_t blocks() const { return lane_blocks(size()); }
};

/// Most inputs a layer has.
inline constexpr std::size_t kMostInputs = 2;

/// Memory and context of one call of a layer. Images are in lane blocks (core/layout.hpp). Every thread of
/// the team calls with the same pass; a call ends with a barrier of the team.
template <class Real>
struct Pass {
  const kernels::KernelTable<Real>& kernels;
  Team team;
  const MicroBatch& batch;
  kernels::Precision precision = kernels::Precision::kFloat32;  ///< of the factors of convolutions and dense

  std::array<const Real*, kMostInputs> src{};  ///< the layer's inputs
  Real* dst = nullptr;                         ///< its output: assigned by forward, read by backward
  kernels::Epilogue<Real> epilogue{};          ///< what forward does to dst last (Traits::takes_epilogue)
  const Real* parameters = nullptr;  ///< its parameters, one after the other, in their declared order
  const Real* statistics = nullptr;  ///< its statistics likewise; read in evaluation

  Real* diff_dst = nullptr;  ///< backward: ∂C/∂dst; may change (Traits::differentiates_activation)
  std::array<Real*, kMostInputs> diff_src{};  ///< backward: assigned ∂C/∂src; null where nobody wants it
  kernels::Update update = kernels::Update::kAssign;  ///< of diff_src[0] (Traits::adds_diff_src)
  Real* diff_parameters = nullptr;   ///< backward: assigned, Σ over the micro-batch's samples
  Real* batch_statistics = nullptr;  ///< backward: assigned samples × the micro-batch's statistics

  std::byte* saved = nullptr;  ///< saved_bytes() kept from forward to backward
  Real* scratch = nullptr;     ///< scratch_size() elements, free for the length of a call
};

/// What the plans of a layer's calls depend on beside the layer.
struct CallSetting {
  const kernels::Planner& planner;  ///< of the table that the calls are given
  std::int64_t blocks = 1;          ///< the most lane blocks of a micro-batch
  int threads = 1;                  ///< of the largest team
  kernels::Precision precision = kernels::Precision::kFloat32;
};

/// What a layer is to others: to the plan of a network (nn/operations.hpp, nn/workspace.hpp), to the initial
/// weights, to gradient checks.
struct Traits {
  /// What it does to the choice of the initial weights before it.
  Nonlinearity nonlinearity = Nonlinearity::kNone;
  double he_gain = 2;  ///< of a rectifier: 2 / (1 + slope²), slope over negative numbers
  /// The function of one element the layer is, which a layer before it could apply to its results.
  kernels::Activation activation{};
  bool gives_probabilities = false;  ///< softmax, sigmoid: what cross-entropy losses apply themselves
  bool is_view = false;              ///< the output is the input under another shape: no memory, no passes
  bool is_sum = false;               ///< the output is the sum of the inputs and nothing else
  /// The derivative jumps if the set of positive outputs, or what it saved, changes (relu, maxpool).
  bool has_kinks = false;
  bool takes_epilogue = false;  ///< forward applies pass.epilogue
  /// backward multiplies diff_dst, in place, by the derivative of the epilogue's activation; else the caller
  /// does.
  bool differentiates_activation = false;
  bool adds_diff_src = false;      ///< backward adds to diff_src[0] where pass.update says so
  bool backward_reads_src = true;  ///< so that src must be kept
  bool backward_reads_dst = true;
};

class Layer {
 public:
  virtual ~Layer() = default;

  /// Shape of the output, fixed at construction.
  [[nodiscard]] virtual Shape output() const = 0;
  /// First word of its line in a configuration: "conv".
  [[nodiscard]] virtual std::string_view keyword() const = 0;
  /// Tells `visitor` what the layer was made with, all of it (nn/attributes.hpp): a line of the keyword and
  /// these attributes makes an equal layer.
  virtual void visit(AttributeVisitor& /*visitor*/) const {}
  /// As it would stand in a configuration, without defaults: "conv 20 5x5".
  [[nodiscard]] std::string description() const;
  [[nodiscard]] virtual Traits traits() const { return {}; }

  [[nodiscard]] virtual std::vector<Parameter> parameters() const { return {}; }
  [[nodiscard]] virtual std::vector<Statistic> statistics() const { return {}; }
  /// How its passes are computed, in words; empty if there is no choice. `wants_diff_src`: the input's diff
  /// is read.
  [[nodiscard]] virtual std::string algorithms(const CallSetting& /*setting*/,
                                               bool /*wants_diff_src*/) const {
    return {};
  }
  /// Multiplications of one forward pass over one sample, those with padding left out. Backward does as many
  /// for the parameters, and as many for the input where somebody wants its diff.
  [[nodiscard]] virtual std::int64_t multiplications() const { return 0; }

  /// Bytes kept from forward to backward, for `blocks` lane blocks of `real_size`-byte numbers.
  [[nodiscard]] virtual std::int64_t saved_bytes(std::int64_t /*blocks*/, std::int64_t /*real_size*/) const {
    return 0;
  }
  /// Elements of scratch a call may use.
  [[nodiscard]] virtual std::int64_t scratch_size(const CallSetting& /*setting*/) const { return 0; }

  virtual void forward(const Pass<float>& pass) const = 0;
  virtual void forward(const Pass<double>& pass) const = 0;
  virtual void backward(const Pass<float>& pass) const = 0;
  virtual void backward(const Pass<double>& pass) const = 0;
};

/// Numbers in all of a layer's parameters.
[[nodiscard]] inline std::int64_t parameter_count(const Layer& layer) {
  std::int64_t size = 0;
  for (const Parameter& parameter : layer.parameters()) size += count(parameter.dims);
  return size;
}

/// Lets a layer write each pass once, for float (training) and double (gradient checks): Derived has
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
