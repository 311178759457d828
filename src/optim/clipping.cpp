// Optimizers around others that limit the gradient first: its norm, or each of its elements.

#include <algorithm>
#include <array>
#include <utility>

#include "convoy/optim/optimizers.hpp"

namespace convoy::optim {
namespace {

class ClippedByNorm final : public Optimizer {
 public:
  ClippedByNorm(std::unique_ptr<const Optimizer> inner, double limit, double epsilon)
      : inner_(std::move(inner)), limit_(limit), epsilon_(epsilon) {}

  [[nodiscard]] std::vector<std::string_view> states() const override { return inner_->states(); }

  /// First the sum of gradients, then the inner stages.
  [[nodiscard]] std::vector<int> norm_stages() const override {
    std::vector<int> stages = inner_->norm_stages();
    stages.insert(stages.begin(), 1);
    return stages;
  }

  void measure(int stage, const StepInfo& info, const Stretch& stretch, const Norms& earlier,
               std::span<double> squares) const override {
    if (stage == 0)
      squares[0] = sum_of_squares({stretch.gradient_sum, static_cast<std::size_t>(stretch.size)});
    else
      inner_->measure(stage - 1, clipped(info, earlier), stretch, earlier.from(1), squares);
  }

  void update(const StepInfo& info, const Stretch& stretch, const Norms& norms) const override {
    inner_->update(clipped(info, norms), stretch, norms.from(1));
  }

 private:
  /// With so many samples that sum/samples is the clipped gradient.
  [[nodiscard]] StepInfo clipped(const StepInfo& info, const Norms& norms) const {
    const auto samples = static_cast<double>(info.samples);
    const double factor = limit_ / (norms.of_all(0) / samples + epsilon_);
    StepInfo of_inner = info;
    if (factor < 1) of_inner.samples = static_cast<float>(samples / factor);  // not if it is NaN
    return of_inner;
  }

  std::unique_ptr<const Optimizer> inner_;
  double limit_;
  double epsilon_;
};

class ClippedByValue final : public Optimizer {
 public:
  ClippedByValue(std::unique_ptr<const Optimizer> inner, double limit)
      : inner_(std::move(inner)), limit_(static_cast<float>(limit)) {}

  [[nodiscard]] std::vector<std::string_view> states() const override { return inner_->states(); }
  [[nodiscard]] std::vector<int> norm_stages() const override { return inner_->norm_stages(); }

  void measure(int stage, const StepInfo& info, const Stretch& stretch, const Norms& earlier,
               std::span<double> squares) const override {
    for_each_part(info, stretch, [&](const StepInfo& of_inner, const Stretch& part) {
      inner_->measure(stage, of_inner, part, earlier, squares);
    });
  }

  void update(const StepInfo& info, const Stretch& stretch, const Norms& norms) const override {
    for_each_part(info, stretch, [&](const StepInfo& of_inner, const Stretch& part) {
      inner_->update(of_inner, part, norms);
    });
  }

 private:
  static constexpr std::int64_t kPart = 1024;
  static_assert(kPart >= kNormBlock);  // so a block is measured as one part

  /// Calls f with the clipped mean gradient of parts of the stretch.
  template <class Function>
  void for_each_part(const StepInfo& info, const Stretch& stretch, const Function& f) const {
    StepInfo of_inner = info;
    of_inner.samples = 1;
    const float samples = info.samples;
    const float limit = limit_;
    std::array<float, kPart> gradient;
    std::array<float*, kMostStates> states{};
    for (std::int64_t begin = 0; begin < stretch.size; begin += kPart) {
      Stretch part = part_of(stretch, begin, std::min(kPart, stretch.size - begin), states);
      const float* const sum = part.gradient_sum;
      float* const clipped = gradient.data();
      for (std::int64_t i = 0; i < part.size; ++i) {
        const float g = sum[i] / samples;
        const float above = g < -limit ? -limit : g;  // NaN stays
        clipped[i] = above > limit ? limit : above;
      }
      part.gradient_sum = gradient.data();
      f(of_inner, part);
    }
  }

  std::unique_ptr<const Optimizer> inner_;
  float limit_;
};

}  // namespace

std::unique_ptr<const Optimizer> clip_by_norm(std::unique_ptr<const Optimizer> inner, double limit,
                                              double epsilon) {
  return std::make_unique<ClippedByNorm>(std::move(inner), limit, epsilon);
}

std::unique_ptr<const Optimizer> clip_by_value(std::unique_ptr<const Optimizer> inner, double limit) {
  return std::make_unique<ClippedByValue>(std::move(inner), limit);
}

}  // namespace convoy::optim
