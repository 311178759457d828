#include "convoy/nn/loss.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "convoy/core/layout.hpp"
#include "convoy/core/math.hpp"

namespace convoy::nn {
namespace {

/// One sample's outputs in a lane block: element k is at base[k·16].
template <class Real>
class LaneView {
 public:
  LaneView(Real* block, std::int64_t lane) : base_(block == nullptr ? nullptr : block + lane) {}
  Real& operator[](std::int64_t k) const { return base_[k * kLanes]; }

 private:
  Real* base_;
};

double sigmoid(double z) {
  return 1 / (1 + math::exp(-z));
}

template <class Real>
double quadratic(std::int64_t outputs, const auto& y, LaneView<const Real> z, LaneView<Real> diff,
                 bool want_diff) {
  double sum = 0;
  for (std::int64_t k = 0; k < outputs; ++k) {
    const double error = static_cast<double>(z[k]) - y(k);
    sum += 0.5 * error * error;
    if (want_diff) diff[k] = static_cast<Real>(error);
  }
  return sum;
}

template <class Real>
double sigmoid_cross_entropy(std::int64_t classes, std::int64_t label, LaneView<const Real> z,
                             LaneView<Real> diff, bool want_diff) {
  double sum = 0;
  for (std::int64_t k = 0; k < classes; ++k) {
    const double value = z[k];
    const double y = k == label ? 1 : 0;
    sum += std::max(value, 0.0) - value * y + math::log1p(math::exp(-std::abs(value)));
    if (want_diff) diff[k] = static_cast<Real>(sigmoid(value) - y);
  }
  return sum;
}

template <class Real>
double softmax_cross_entropy(std::int64_t classes, std::int64_t label, LaneView<const Real> z,
                             LaneView<Real> diff, bool want_diff) {
  double largest = z[0];
  for (std::int64_t k = 1; k < classes; ++k) largest = std::max(largest, static_cast<double>(z[k]));
  double total = 0;
  for (std::int64_t k = 0; k < classes; ++k) total += math::exp(static_cast<double>(z[k]) - largest);
  if (want_diff) {
    for (std::int64_t k = 0; k < classes; ++k) {
      const double p = math::exp(static_cast<double>(z[k]) - largest) / total;
      diff[k] = static_cast<Real>(p - (k == label ? 1 : 0));
    }
  }
  return math::log(total) + largest - static_cast<double>(z[label]);
}

/// Rank of the label's output: the number of larger outputs, and of equal outputs with a smaller class. With
/// a NaN in any output the sample counts as wrong.
template <class Real>
std::int64_t rank_of_label(std::int64_t classes, std::int64_t label, LaneView<const Real> z) {
  const Real own = z[label];
  std::int64_t before = 0;
  for (std::int64_t k = 0; k < classes; ++k) {
    if (std::isnan(z[k])) return std::numeric_limits<std::int64_t>::max();
    if (z[k] > own || (z[k] == own && k < label)) ++before;
  }
  return before;
}

template <class Real>
double sample_loss(LossKind kind, std::int64_t classes, std::int64_t label, LaneView<const Real> z,
                   LaneView<Real> diff, bool want_diff) {
  switch (kind) {
    case LossKind::kQuadratic:
      return quadratic(
          classes, [label](std::int64_t k) { return k == label ? 1.0 : 0.0; }, z, diff, want_diff);
    case LossKind::kSigmoidCrossEntropy:
      return sigmoid_cross_entropy(classes, label, z, diff, want_diff);
    case LossKind::kSoftmaxCrossEntropy:
      return softmax_cross_entropy(classes, label, z, diff, want_diff);
  }
  return 0;
}

}  // namespace

const std::vector<std::string_view>& loss_names() {
  static const std::vector<std::string_view> names{"quadratic", "sigmoid-cross-entropy",
                                                   "softmax-cross-entropy"};
  return names;
}

std::string_view to_string(LossKind kind) {
  return loss_names()[static_cast<std::size_t>(kind)];
}

namespace {

/// Calls sample(n, z, diff) for each sample; sets the diffs of idle lanes to 0.
template <class Real>
void for_each_sample(std::int64_t samples, std::int64_t size, const Real* outputs, Real* diff,
                     const auto& sample) {
  for (std::int64_t n = 0; n < lane_blocks(samples) * kLanes; ++n) {
    const std::int64_t block = n / kLanes * size * kLanes;
    const LaneView<Real> lane_diff(diff != nullptr ? diff + block : nullptr, n % kLanes);
    if (n < samples) {
      sample(n, LaneView<const Real>(outputs + block, n % kLanes), lane_diff);
    } else {
      for (std::int64_t k = 0; diff != nullptr && k < size; ++k) lane_diff[k] = 0;
    }
  }
}

}  // namespace

template <class Real>
LossResult evaluate_loss(LossKind kind, std::int64_t classes, std::span<const std::int64_t> labels,
                         const Real* outputs, Real* diff) {
  LossResult result;
  const auto samples = static_cast<std::int64_t>(labels.size());
  for_each_sample(samples, classes, outputs, diff,
                  [&](std::int64_t n, LaneView<const Real> z, LaneView<Real> its_diff) {
                    const std::int64_t label = labels[static_cast<std::size_t>(n)];
                    result.loss_sum += sample_loss(kind, classes, label, z, its_diff, diff != nullptr);
                    const std::int64_t before = rank_of_label(classes, label, z);
                    result.correct += before < 1 ? 1 : 0;
                    result.correct_top5 += before < 5 ? 1 : 0;
                  });
  return result;
}

template <class Real>
LossResult evaluate_loss(LossKind kind, std::int64_t outputs_a_sample, std::span<const float> targets,
                         std::int64_t samples, const Real* outputs, Real* diff) {
  assert(kind == LossKind::kQuadratic);
  (void)kind;
  LossResult result;
  for_each_sample(samples, outputs_a_sample, outputs, diff,
                  [&](std::int64_t n, LaneView<const Real> z, LaneView<Real> its_diff) {
                    const float* target = targets.data() + n * outputs_a_sample;
                    const auto y = [target](std::int64_t k) { return static_cast<double>(target[k]); };
                    result.loss_sum += quadratic(outputs_a_sample, y, z, its_diff, diff != nullptr);
                  });
  return result;
}

template LossResult evaluate_loss<float>(LossKind, std::int64_t, std::span<const std::int64_t>, const float*,
                                         float*);
template LossResult evaluate_loss<double>(LossKind, std::int64_t, std::span<const std::int64_t>,
                                          const double*, double*);

template LossResult evaluate_loss<float>(LossKind, std::int64_t, std::span<const float>, std::int64_t,
                                         const float*, float*);
template LossResult evaluate_loss<double>(LossKind, std::int64_t, std::span<const float>, std::int64_t,
                                          const double*, double*);

}  // namespace convoy::nn
