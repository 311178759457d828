#include "convoy/nn/loss.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "convoy/core/layout.hpp"
#include "convoy/core/math.hpp"
#include "convoy/core/text.hpp"

namespace convoy::nn {
namespace {

/// One sample's outputs in a lane block: element k is at base[k·16].
template <class Real>
class LaneView {
 public:
  LaneView(const Real* block, std::int64_t lane) : base_(block + lane) {}
  Real operator[](std::int64_t k) const { return base_[k * kLanes]; }

 private:
  const Real* base_;
};

/// Where one sample's ∂C/∂z goes; nowhere in evaluation.
template <class Real>
class LaneDiff {
 public:
  LaneDiff(Real* block, std::int64_t lane) : base_(block == nullptr ? nullptr : block + lane) {}
  [[nodiscard]] LaneDiff times(double factor) const {
    LaneDiff scaled(*this);
    scaled.factor_ *= factor;
    return scaled;
  }
  explicit operator bool() const { return base_ != nullptr; }
  void assign(std::int64_t k, double value) const {
    if (base_ != nullptr) base_[k * kLanes] = static_cast<Real>(factor_ * value);
  }

 private:
  Real* base_;
  double factor_ = 1;
};

double sigmoid(double z) {
  return 1 / (1 + math::exp(-z));
}

/// Loss of one output and its derivative.
struct Term {
  double value = 0;
  double slope = 0;
};

/// Of an output that is `error` above its target.
Term term_of(const LossFunction& loss, double error) {
  const double size = std::abs(error);
  switch (loss.kind) {
    case LossKind::kAbsolute:
      return {.value = size, .slope = error > 0 ? 1.0 : error < 0 ? -1.0 : 0.0};
    case LossKind::kHuber:
      if (size > loss.huber_delta)
        return {.value = loss.huber_delta * (size - 0.5 * loss.huber_delta),
                .slope = std::copysign(loss.huber_delta, error)};
      [[fallthrough]];
    default:
      return {.value = 0.5 * error * error, .slope = error};
  }
}

/// Loss of one sample, and its squared error.
struct SampleLoss {
  double loss = 0;
  double squared_error = 0;
};

template <class Real>
SampleLoss regression(const LossFunction& loss, std::int64_t outputs, const auto& y, LaneView<Real> z,
                      LaneDiff<Real> diff) {
  SampleLoss sum;
  for (std::int64_t k = 0; k < outputs; ++k) {
    const double error = static_cast<double>(z[k]) - y(k);
    const Term term = term_of(loss, error);
    sum.loss += term.value;
    sum.squared_error += error * error;
    diff.assign(k, term.slope);
  }
  return sum;
}

/// x^γ of 0 ≤ x ≤ 1 for γ > 0; NaN for NaN.
double power(double x, double gamma) {
  return x == 0 ? 0 : math::exp(gamma * math::log(x));
}

template <class Real>
double sigmoid_cross_entropy(std::int64_t classes, std::int64_t label, LaneView<Real> z,
                             LaneDiff<Real> diff) {
  double sum = 0;
  for (std::int64_t k = 0; k < classes; ++k) {
    const double value = z[k];
    const double y = k == label ? 1 : 0;
    sum += std::max(value, 0.0) - value * y + math::log1p(math::exp(-std::abs(value)));
    diff.assign(k, sigmoid(value) - y);
  }
  return sum;
}

/// The focal loss of every output: with s = z_k where y_k = 1 and −z_k elsewhere, p_t = σ(s), q = 1 − p_t =
/// σ(−s) and c = −ln p_t, C = q^γ·c and ∂C/∂s = −q^γ·(γ·p_t·c + q). No term cancels, whatever p_t is near.
template <class Real>
double focal_sigmoid_cross_entropy(double gamma, std::int64_t classes, std::int64_t label, LaneView<Real> z,
                                   LaneDiff<Real> diff) {
  double sum = 0;
  for (std::int64_t k = 0; k < classes; ++k) {
    const double sign = k == label ? 1 : -1;
    const double s = sign * static_cast<double>(z[k]);
    const double q = sigmoid(-s);
    const double cost = std::max(-s, 0.0) + math::log1p(math::exp(-std::abs(s)));
    const double factor = power(q, gamma);
    sum += factor * cost;
    diff.assign(k, -sign * factor * (gamma * sigmoid(s) * cost + q));
  }
  return sum;
}

/// With r = Σ_{k≠label} e^(z_k − z_max) and o = e^(z_label − z_max): p_t = o/(o + r), q = 1 − p_t = r/(o +
/// r), c = −ln p_t; C = q^γ·c and ∂C/∂z_k = (p_k − [k = label])·q^γ·(γ·p_t·c/q + 1). p_t − 1 is −q, and c/q
/// has the limit 1 for q → 0.
template <class Real>
double focal_softmax_cross_entropy(double gamma, std::int64_t classes, std::int64_t label, LaneView<Real> z,
                                   LaneDiff<Real> diff) {
  double largest = z[0];
  for (std::int64_t k = 1; k < classes; ++k) largest = std::max(largest, static_cast<double>(z[k]));
  double rest = 0;
  for (std::int64_t k = 0; k < classes; ++k)
    if (k != label) rest += math::exp(static_cast<double>(z[k]) - largest);
  const double below = static_cast<double>(z[label]) - largest;  // 0: the label has the largest output
  const double total = math::exp(below) + rest;
  const double q = rest / total;
  const double cost = below == 0 ? math::log1p(rest) : math::log(total) - below;
  const double factor = power(q, gamma);
  const double slope = factor * (gamma * (1 - q) * (q == 0 ? 1 : cost / q) + 1);
  for (std::int64_t k = 0; k < classes && diff; ++k) {
    const double p = math::exp(static_cast<double>(z[k]) - largest) / total;
    diff.assign(k, (k == label ? -q : p) * slope);
  }
  return factor * cost;
}

template <class Real>
double softmax_cross_entropy(double smoothing, std::int64_t classes, std::int64_t label, LaneView<Real> z,
                             LaneDiff<Real> diff) {
  double largest = z[0];
  for (std::int64_t k = 1; k < classes; ++k) largest = std::max(largest, static_cast<double>(z[k]));
  double total = 0;
  for (std::int64_t k = 0; k < classes; ++k) total += math::exp(static_cast<double>(z[k]) - largest);
  const double everywhere = smoothing / static_cast<double>(classes);
  for (std::int64_t k = 0; k < classes && diff; ++k) {
    const double p = math::exp(static_cast<double>(z[k]) - largest) / total;
    diff.assign(k, p - ((k == label ? 1 - smoothing : 0) + everywhere));
  }
  const double own = math::log(total) + largest - static_cast<double>(z[label]);
  if (smoothing == 0) return own;
  double all = 0;
  for (std::int64_t k = 0; k < classes; ++k) all += math::log(total) + largest - static_cast<double>(z[k]);
  return (1 - smoothing) * own + everywhere * all;
}

/// Rank of the label's output: the number of larger outputs, and of equal outputs with a smaller class. With
/// a NaN in any output the sample counts as wrong.
template <class Real>
std::int64_t rank_of_label(std::int64_t classes, std::int64_t label, LaneView<Real> z) {
  const Real own = z[label];
  std::int64_t before = 0;
  for (std::int64_t k = 0; k < classes; ++k) {
    if (std::isnan(z[k])) return std::numeric_limits<std::int64_t>::max();
    if (z[k] > own || (z[k] == own && k < label)) ++before;
  }
  return before;
}

template <class Real>
double sample_loss(const LossFunction& loss, std::int64_t classes, std::int64_t label, LaneView<Real> z,
                   LaneDiff<Real> diff) {
  switch (loss.kind) {
    case LossKind::kSigmoidCrossEntropy:
      if (loss.focal_gamma > 0) return focal_sigmoid_cross_entropy(loss.focal_gamma, classes, label, z, diff);
      return sigmoid_cross_entropy(classes, label, z, diff);
    case LossKind::kSoftmaxCrossEntropy:
      if (loss.focal_gamma > 0) return focal_softmax_cross_entropy(loss.focal_gamma, classes, label, z, diff);
      return softmax_cross_entropy(loss.label_smoothing, classes, label, z, diff);
    default:
      return regression(
                 loss, classes, [label](std::int64_t k) { return k == label ? 1.0 : 0.0; }, z, diff)
          .loss;
  }
}

}  // namespace

const std::vector<std::string_view>& loss_names() {
  static const std::vector<std::string_view> names{"quadratic", "sigmoid-cross-entropy",
                                                   "softmax-cross-entropy", "absolute", "huber"};
  return names;
}

std::string_view to_string(LossKind kind) {
  return loss_names()[static_cast<std::size_t>(kind)];
}

bool takes_targets(LossKind kind) {
  return kind == LossKind::kQuadratic || kind == LossKind::kAbsolute || kind == LossKind::kHuber;
}

namespace {

/// " 0.5 1 1.5", or of many classes the first ones and the range.
std::string describe_weights(const std::vector<double>& weights) {
  constexpr std::size_t kMost = 10;
  std::string text;
  for (std::size_t k = 0; k < std::min(weights.size(), kMost); ++k) text += ' ' + shortest(weights[k]);
  if (weights.size() <= kMost) return text;
  const auto [least, most] = std::ranges::minmax_element(weights);
  return text + " … (" + shortest(*least) + " to " + shortest(*most) + ")";
}

}  // namespace

std::string describe(const LossFunction& loss) {
  std::string text(to_string(loss.kind));
  if (loss.huber_delta != LossFunction().huber_delta) text += ", delta " + shortest(loss.huber_delta);
  if (loss.label_smoothing > 0) text += ", label smoothing " + shortest(loss.label_smoothing);
  if (loss.focal_gamma > 0) text += ", focal gamma " + shortest(loss.focal_gamma);
  if (!loss.class_weights.empty() || loss.balances_classes)
    text += (loss.balances_classes ? ", balanced class weights" : ", class weights") +
            describe_weights(loss.class_weights);
  return text;
}

LossFunction LossFunction::plain() const {
  LossFunction result(kind);
  result.huber_delta = huber_delta;
  return result;
}

LossFunction LossFunction::balanced_for(std::span<const std::int64_t> labels, std::int64_t classes) const {
  LossFunction result = *this;
  if (!balances_classes) return result;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes));
  for (const std::int64_t label : labels) ++counts[static_cast<std::size_t>(label)];
  const auto occurring = static_cast<double>(classes - std::ranges::count(counts, 0));
  result.class_weights.clear();
  for (const std::int64_t count : counts)
    result.class_weights.push_back(
        count == 0 ? 0 : static_cast<double>(labels.size()) / (occurring * static_cast<double>(count)));
  return result;
}

namespace {

/// Calls sample(n, z, diff) for each sample; sets the diffs of idle lanes to 0.
template <class Real>
void for_each_sample(std::int64_t samples, std::int64_t size, const Real* outputs, Real* diff,
                     const auto& sample) {
  for (std::int64_t n = 0; n < lane_blocks(samples) * kLanes; ++n) {
    const std::int64_t block = n / kLanes * size * kLanes;
    const LaneDiff<Real> lane_diff(diff != nullptr ? diff + block : nullptr, n % kLanes);
    if (n < samples) {
      sample(n, LaneView<Real>(outputs + block, n % kLanes), lane_diff);
    } else {
      for (std::int64_t k = 0; k < size; ++k) lane_diff.assign(k, 0);
    }
  }
}

}  // namespace

template <class Real>
LossResult evaluate_loss(const LossFunction& loss, std::int64_t classes, std::span<const std::int64_t> labels,
                         const Real* outputs, Real* diff) {
  LossResult result;
  for_each_sample(static_cast<std::int64_t>(labels.size()), classes, outputs, diff,
                  [&](std::int64_t n, LaneView<Real> z, LaneDiff<Real> its_diff) {
                    const std::int64_t label = labels[static_cast<std::size_t>(n)];
                    const double weight =
                        loss.class_weights.empty() ? 1 : loss.class_weights[static_cast<std::size_t>(label)];
                    result.loss_sum += weight * sample_loss(loss, classes, label, z, its_diff.times(weight));
                    const std::int64_t before = rank_of_label(classes, label, z);
                    result.correct += before < 1 ? 1 : 0;
                    result.correct_top5 += before < 5 ? 1 : 0;
                  });
  return result;
}

template <class Real>
LossResult evaluate_loss(const LossFunction& loss, std::int64_t outputs_a_sample,
                         std::span<const float> targets, std::int64_t samples, const Real* outputs,
                         Real* diff) {
  assert(takes_targets(loss.kind));
  LossResult result;
  for_each_sample(samples, outputs_a_sample, outputs, diff,
                  [&](std::int64_t n, LaneView<Real> z, LaneDiff<Real> its_diff) {
                    const float* target = targets.data() + n * outputs_a_sample;
                    const auto y = [target](std::int64_t k) { return static_cast<double>(target[k]); };
                    const SampleLoss of_sample = regression(loss, outputs_a_sample, y, z, its_diff);
                    result.loss_sum += of_sample.loss;
                    result.squared_error_sum += of_sample.squared_error;
                  });
  return result;
}

template LossResult evaluate_loss<float>(const LossFunction&, std::int64_t, std::span<const std::int64_t>,
                                         const float*, float*);
template LossResult evaluate_loss<double>(const LossFunction&, std::int64_t, std::span<const std::int64_t>,
                                          const double*, double*);

template LossResult evaluate_loss<float>(const LossFunction&, std::int64_t, std::span<const float>,
                                         std::int64_t, const float*, float*);
template LossResult evaluate_loss<double>(const LossFunction&, std::int64_t, std::span<const float>,
                                          std::int64_t, const double*, double*);

}  // namespace convoy::nn
