#pragma once
// Losses: (1/n) Σ over samples of the sum over outputs (src/CONTRACT.md, "Configuration").

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace convoy::nn {

enum class LossKind { kQuadratic, kSigmoidCrossEntropy, kSoftmaxCrossEntropy };

/// "quadratic", "sigmoid-cross-entropy", "softmax-cross-entropy".
[[nodiscard]] std::string_view to_string(LossKind kind);
/// Names of all losses, in the order of the enumeration.
[[nodiscard]] const std::vector<std::string_view>& loss_names();

/// Contribution of a micro-batch to the metrics.
struct LossResult {
  double loss_sum = 0;       ///< Σ over the micro-batch's samples, not divided
  std::int64_t correct = 0;  ///< samples whose largest output (first of equals) is the label's; not with NaN
  std::int64_t correct_top5 = 0;  ///< samples whose label is among the five largest outputs
};

/// Loss of the samples of one micro-batch, and its derivative.
///
/// `outputs` is the network's output in lane blocks, [B][classes][16]; `labels` one class per sample. With z
/// the outputs, y the one-hot label and p the softmax of z:
///   quadratic               C = ½ Σ_k (y_k − z_k)²,                         ∂C/∂z = z − y
///   sigmoid-cross-entropy   C = Σ_k max(z_k,0) − z_k y_k + ln(1 + e^−|z_k|), ∂C/∂z = σ(z) − y
///   softmax-cross-entropy   C = ln Σ_k e^(z_k − z_max) + z_max − z_label,   ∂C/∂z = p − y
/// `diff` ([B][classes][16], may be null) is assigned ∂C/∂z of the sum, not divided by the number of samples;
/// its idle lanes are 0. Computed in double by one thread, in an order that depends only on the shapes.
template <class Real>
[[nodiscard]] LossResult evaluate_loss(LossKind kind, std::int64_t classes,
                                       std::span<const std::int64_t> labels, const Real* outputs, Real* diff);

/// The same for samples with targets y ([samples][outputs]); quadratic loss only. No sample counts as
/// correct.
template <class Real>
[[nodiscard]] LossResult evaluate_loss(LossKind kind, std::int64_t outputs_a_sample,
                                       std::span<const float> targets, std::int64_t samples,
                                       const Real* outputs, Real* diff);

}  // namespace convoy::nn
