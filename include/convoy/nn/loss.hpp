#pragma once
// Losses: (1/n) Σ over samples of the sum over outputs (src/CONTRACT.md, "Configuration").

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::nn {

enum class LossKind { kQuadratic, kSigmoidCrossEntropy, kSoftmaxCrossEntropy, kAbsolute, kHuber };

/// "quadratic", "sigmoid-cross-entropy", "softmax-cross-entropy", "absolute", "huber".
[[nodiscard]] std::string_view to_string(LossKind kind);
/// Names of all losses, in the order of the enumeration.
[[nodiscard]] const std::vector<std::string_view>& loss_names();
/// True if the loss compares outputs with numbers: targets, or one-hot classes. False: with classes alone.
[[nodiscard]] bool takes_targets(LossKind kind);
/// The names of the losses that take targets, "quadratic, absolute or huber": for messages.
inline constexpr std::string_view kLossesOfTargets = "quadratic, absolute or huber";

/// A loss with its parameters.
struct LossFunction {
  LossKind kind = LossKind::kSoftmaxCrossEntropy;
  double huber_delta = 1;      ///< huber: the error at which the parabola becomes a line; > 0
  double label_smoothing = 0;  ///< softmax-cross-entropy: ε, from 0 to below 1
  double focal_gamma = 0;      ///< cross-entropies: γ of the focal loss, ≥ 0; not with label smoothing
  std::vector<double> class_weights{};  ///< factor of a sample's loss, by its class; empty: 1
  bool balances_classes = false;        ///< `class_weights` are those of balanced_for()

  LossFunction() = default;
  LossFunction(LossKind of) : kind(of) {}  // NOLINT(google-explicit-constructor): its parameters at default
  friend bool operator==(const LossFunction&, const LossFunction&) = default;

  /// As evaluations report it: without smoothing, focal factor and weights. Does not allocate.
  [[nodiscard]] LossFunction plain() const;
  /// If it balances classes: with the weights w_k = N/(K·n_k) for the classes of the N training samples
  /// `labels`, K the number of classes that occur, n_k their samples; 0 for a class without samples.
  [[nodiscard]] LossFunction balanced_for(std::span<const std::int64_t> labels, std::int64_t classes) const;
};

/// The name, and the parameters that are not at their default: "huber, delta 0.5".
[[nodiscard]] std::string describe(const LossFunction& loss);

/// Contribution of a micro-batch to the metrics.
struct LossResult {
  double loss_sum = 0;           ///< Σ over the micro-batch's samples, not divided
  double squared_error_sum = 0;  ///< Σ over samples and outputs of (target − output)²; 0 for labels
  std::int64_t correct = 0;  ///< samples whose largest output (first of equals) is the label's; not with NaN
  std::int64_t correct_top5 = 0;  ///< samples whose label is among the five largest outputs

  /// Sums of both, for comm::tree_sum.
  friend LossResult operator+(const LossResult& a, const LossResult& b) {
    return {.loss_sum = a.loss_sum + b.loss_sum,
            .squared_error_sum = a.squared_error_sum + b.squared_error_sum,
            .correct = a.correct + b.correct,
            .correct_top5 = a.correct_top5 + b.correct_top5};
  }
};

/// Loss of the samples of one micro-batch, and its derivative.
///
/// `outputs` is the network's output in lane blocks, [B][classes][16]; `labels` one class per sample. With z
/// the outputs, y the one-hot label and p the softmax of z:
///   quadratic               C = ½ Σ_k (y_k − z_k)²,                         ∂C/∂z = z − y
///   sigmoid-cross-entropy   C = Σ_k max(z_k,0) − z_k y_k + ln(1 + e^−|z_k|), ∂C/∂z = σ(z) − y
///   softmax-cross-entropy   C = ln Σ_k e^(z_k − z_max) + z_max − z_label,   ∂C/∂z = p − y
///   absolute                C = Σ_k |z_k − y_k|,                            ∂C/∂z = sign(z − y), 0 for 0
///   huber                   C = Σ_k h(z_k − y_k) with h(e) = ½e² for |e| ≤ δ, else δ(|e| − ½δ) (Huber 1964),
///                           ∂C/∂z = z − y, limited to −δ … δ
/// softmax-cross-entropy with label smoothing ε (Szegedy et al. 2016): y_k = (1 − ε)·[k = label] + ε/K, and
/// C = −Σ_k y_k ln p_k. With γ > 0 each logarithm has the focal factor (Lin et al. 2017, without their α):
/// with p_t the probability given to the truth, softmax: C = −(1 − p_t)^γ ln p_t; sigmoid, where p_t = σ(z_k)
/// or 1 − σ(z_k): the sum of this over k. With class weights C and its derivative are multiplied by w_label.
/// `diff` ([B][classes][16], may be null) is assigned ∂C/∂z of the sum, not divided by the number of samples;
/// its idle lanes are 0. Computed in double by one thread, in an order that depends only on the shapes.
template <class Real>
[[nodiscard]] LossResult evaluate_loss(const LossFunction& loss, std::int64_t classes,
                                       std::span<const std::int64_t> labels, const Real* outputs, Real* diff);

/// The same for samples with targets y ([samples][outputs]). No sample counts as correct. Precondition:
/// takes_targets().
template <class Real>
[[nodiscard]] LossResult evaluate_loss(const LossFunction& loss, std::int64_t outputs_a_sample,
                                       std::span<const float> targets, std::int64_t samples,
                                       const Real* outputs, Real* diff);

}  // namespace convoy::nn
