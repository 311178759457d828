#pragma once
// Compares analytic and numeric gradients of a whole network, in double precision, with the training code.
//
// A probe is inserted before the loss and before every layer that is not fused into the previous one: dst =
// src + p, one p for each number of each sample. ∂C/∂p is the diff of the layer's input, so one loop over
// flat parameters checks weights and diffs. The probes start at small random numbers, so that flat image
// backgrounds and units at 0 are not on the kinks of relu and maxpool. Called by `convoy gradcheck` and
// tests; prints nothing.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "convoy/nn/network.hpp"

namespace convoy::check {

/// Largest relative error of a correct gradient. A central difference of a loss C at step h has the
/// truncation error h²·C'''/6 and the rounding error u·C/h·√L, with the rounding unit u = 1.1e-16 and L ~ 10²
/// roundings on a path through the network. Near kinks h may be as small as 1e-7; the rounding error is then
/// 1e-8·C, or 1e-5 of a gradient of 1e-3·C. A wrong formula gives 1e-2 or more.
inline constexpr double kGradientTolerance = 1e-5;
/// If a tensor's gradient is smaller than this fraction of the loss, errors are relative to this fraction of
/// the loss: a bias before batchnorm has gradient 0 and only rounding errors.
inline constexpr double kSmall = 1e-4;
/// Largest share of skipped entries. An entry is skipped if every step crosses a kink.
inline constexpr double kMostSkipped = 0.01;

/// Input of a gradient check.
struct GradientCheckCase {
  Shape input;
  std::vector<nn::LayerText> layers;
  nn::LossFunction loss;
  std::int64_t classes = 0;
  std::span<const float> images;               ///< in lane blocks, as loaded by data::Split::load
  std::span<const std::int64_t> labels;        ///< one per sample; or empty, with targets
  std::span<const float> targets{};            ///< [samples][classes], if nn::takes_targets()
  std::span<const std::int64_t> samples;       ///< indices in the data set, keys of dropout's masks
  std::uint64_t seed = 1;                      ///< of initial weights, masks, probes and drawn entries
  std::int64_t entries = 10;                   ///< checked per tensor; all if the tensor has fewer
  kernels::Isa isa = kernels::Isa::kPortable;  ///< its float gradient is compared, too
};

/// Result for one tensor.
struct TensorCheck {
  std::string layer;
  std::string name;  ///< "weight", "bias", or "input": the diff of the layer's input
  Dims dims;         ///< of "input": [samples][C][H][W]
  std::int64_t checked = 0;
  std::int64_t skipped = 0;  ///< drawn entries for which every step crosses a kink
  double worst_error = 0;    ///< |numeric − analytic| / scale at the best step; NaN if either is NaN
  std::int64_t worst_index = 0;
  double analytic = 0;  ///< at worst_index
  double numeric = 0;
  /// ‖float − double‖₂ of the analytic gradients, divided by ‖double‖₂ or, if larger, by the tensor's norm
  /// with all entries at the root mean square of all parameters' gradients; 0 for "input".
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
  std::int64_t flips = 0;  ///< units on different sides of a kink in float and double

  [[nodiscard]] bool gradients_right() const;
  [[nodiscard]] bool few_skipped() const;
  [[nodiscard]] bool float_right() const;
  [[nodiscard]] bool passed() const { return gradients_right() && few_skipped() && float_right(); }
};

/// Builds the network with probes and checks it at its initial values. Steps are 1e-3 … 1e-8 of an entry's
/// size (at least 0.1); the best step counts, and a step within a hundredth of the tolerance ends the sweep.
/// Throws ConfigError if the network cannot be built. Cost: up to 12 forward passes per entry, from the
/// entry's layer on.
[[nodiscard]] GradientCheck check_gradients(const GradientCheckCase& what,
                                            const nn::Registry& registry = nn::Registry::standard());

/// Number of entries per tensor (3 to 40) for a check of about 4·10¹⁰ multiplications at most.
[[nodiscard]] std::int64_t affordable_entries(const nn::Network& network);

}  // namespace convoy::check
