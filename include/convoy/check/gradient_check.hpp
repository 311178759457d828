#pragma once
// Analytic against numeric gradients of a whole network, in double precision, by the code that trains.
//
// Before every layer that is not fused into the one before, and before the loss, stands a probe: dst = src +
// p, one p for each number of each sample. ∂C/∂p is the diff of the layer's input, so one loop over flat
// parameters checks weights and diffs alike. The probes start at small random numbers, which moves images
// with flat backgrounds and units that rest at 0 off the kinks of relu and maxpool. Nothing here prints;
// `convoy gradcheck` and tests call it.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "convoy/nn/network.hpp"

namespace convoy::check {

/// Largest relative error of a right gradient. A central difference of a loss C at step h is off by h²·C'''/6
/// and by about u·C/h·√L, u = 1.1e-16 being the rounding unit and L ~ 10² the roundings on a path through the
/// network. Kinks close by force h down to 1e-7 at times, where the second is 1e-8·C, 1e-5 of a gradient of
/// 1e-3·C. A mistake in a formula shows as 1e-2 or more.
inline constexpr double kGradientTolerance = 1e-5;
/// A tensor whose gradient is smaller than this part of the loss is compared on this scale, not on its own: a
/// bias before batchnorm has no gradient at all, only rounding.
inline constexpr double kSmall = 1e-4;
/// Largest share of entries that may be skipped because a kink lies within every step.
inline constexpr double kMostSkipped = 0.01;

/// What to check.
struct GradientCheckCase {
  Shape input;
  std::vector<nn::LayerText> layers;
  nn::LossKind loss = nn::LossKind::kSoftmaxCrossEntropy;
  std::int64_t classes = 0;
  std::span<const float> images;          ///< in lane blocks, as data::Split::load leaves them
  std::span<const std::int64_t> labels;   ///< one a sample; or none, and
  std::span<const float> targets{};       ///< [samples][classes], for the quadratic loss
  std::span<const std::int64_t> samples;  ///< numbers in the data set, the keys of dropout's masks
  std::uint64_t seed = 1;     ///< of the initial weights, the masks, the probes and the entries drawn
  std::int64_t entries = 10;  ///< checked of each tensor; all where it has no more
  kernels::Isa isa = kernels::Isa::kPortable;  ///< whose float gradient is compared too
};

/// One tensor's outcome.
struct TensorCheck {
  std::string layer;
  std::string name;  ///< "weight", "bias", or "input": the diff of what goes into the layer
  Dims dims;         ///< of "input": [samples][C][H][W]
  std::int64_t checked = 0;
  std::int64_t skipped = 0;  ///< of those drawn: a kink lies within every step
  double worst_error = 0;    ///< |numeric − analytic| / scale, the best of all steps; NaN where one is none
  std::int64_t worst_index = 0;
  double analytic = 0;  ///< at worst_index
  double numeric = 0;
  /// ‖float − double‖₂ of the analytic gradients, over ‖double‖₂, or over what the tensor would have at the
  /// root mean square of all parameters' gradients, where that is more; 0 for "input".
  double float_error = 0;
};

struct GradientCheck {
  std::vector<TensorCheck> tensors;  ///< in the order of the network
  double loss = 0;                   ///< mean over the samples
  std::int64_t checked = 0;
  std::int64_t skipped = 0;
  std::size_t worst = 0;        ///< tensor with the largest worst_error
  std::size_t worst_float = 0;  ///< tensor with the largest float_error
  double float_tolerance = 0;
  std::int64_t flips = 0;  ///< kinks that float and double pass on different sides

  [[nodiscard]] bool gradients_right() const;
  [[nodiscard]] bool few_skipped() const;
  [[nodiscard]] bool float_right() const;
  [[nodiscard]] bool passed() const { return gradients_right() && few_skipped() && float_right(); }
};

/// Builds the network with probes and checks it at its initial values. Steps are 1e-3 … 1e-8 of an entry's
/// size (at least 0.1); the best counts, and one that agrees to a hundredth of the tolerance ends the sweep.
/// Throws ConfigError where the network cannot be built. Cost: up to 12 forward passes an entry, from the
/// entry's layer on.
[[nodiscard]] GradientCheck check_gradients(const GradientCheckCase& what,
                                            const nn::Registry& registry = nn::Registry::standard());

/// Entries of each tensor that keep a check of this network within about 4·10¹⁰ multiplications, from 3
/// to 40.
[[nodiscard]] std::int64_t affordable_entries(const nn::Network& network);

}  // namespace convoy::check
