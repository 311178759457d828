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
  explicit operator bool() const { return base_ != nullptr; }
  void assign(std::int64_t k, double value) const {
    if (base_ != nullptr) base_[k * kLanes] = static_cast<Real>(value);
  }

 private:
  Real* base_;
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

template <class Real>
double softmax_cross_entropy(std::int64_t classes, std::int64_t label, LaneView<Real> z,
                             LaneDiff<Real> diff) {
  double largest = z[0];
  for (std::int64_t k = 1; k < classes; ++k) largest = std::max(largest, static_cast<double>(z[k]));
  double total = 0;
  for (std::int64_t k = 0; k < classes; ++k) total += math::exp(static_cast<double>(z[k]) - largest);
  for (std::int64_t k = 0; k < classes && diff; ++k) {
    const double p = math::exp(static_cast<double>(z[k]) - largest) / total;
    diff.assign(k, p - (k == label ? 1 : 0));
  }
  return math::log(total) + largest - static_cast<double>(z[label]);
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
      return sigmoid_cross_entropy(classes, label, z, diff);
    case LossKind::kSoftmaxCrossEntropy:
      return softmax_cross_entropy(classes, label, z, diff);
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

std::string describe(const LossFunction& loss) {
  std::string text(to_string(loss.kind));
  if (loss.huber_delta != LossFunction().huber_delta) text += ", delta " + shortest(loss.huber_delta);
  return text;
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
                    result.loss_sum += sample_loss(loss, classes, label, z, its_diff);
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
