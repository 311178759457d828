// Lookahead: slow weights that follow those of another optimizer.

#include <algorithm>
#include <utility>

#include "convoy/optim/optimizers.hpp"

namespace convoy::optim {
namespace {

class Lookahead final : public Optimizer {
 public:
  Lookahead(std::unique_ptr<const Optimizer> inner, std::int64_t steps, double alpha,
            LookaheadSchedule schedule)
      : inner_(std::move(inner)), steps_(steps), alpha_(alpha), schedule_(schedule) {}

  [[nodiscard]] std::vector<std::string_view> states() const override {
    std::vector<std::string_view> names = inner_->states();
    names.emplace_back("slow");
    return names;
  }
  [[nodiscard]] std::vector<int> norm_stages() const override { return inner_->norm_stages(); }

  void measure(int stage, const StepInfo& info, const Stretch& stretch, const Norms& earlier,
               std::span<double> squares) const override {
    inner_->measure(stage, info, of_inner(stretch), earlier, squares);
  }

  void update(const StepInfo& info, const Stretch& stretch, const Norms& norms) const override {
    float* const parameters = stretch.parameters;
    float* const slow = stretch.states.back();
    if (info.step == 0) std::copy_n(parameters, stretch.size, slow);
    inner_->update(info, of_inner(stretch), norms);
    if ((info.step + 1) % steps_ == 0) {
      const auto alpha = static_cast<float>(alpha_now(info.progress));
      for (std::int64_t i = 0; i < stretch.size; ++i) {
        const float next = slow[i] + alpha * (parameters[i] - slow[i]);
        slow[i] = next;
        parameters[i] = next;
      }
    }
    if (schedule_ == LookaheadSchedule::kCubic && info.progress >= 1)
      std::copy_n(slow, stretch.size, parameters);
  }

 private:
  [[nodiscard]] static Stretch of_inner(const Stretch& stretch) {
    Stretch inner = stretch;
    inner.states = stretch.states.first(stretch.states.size() - 1);
    return inner;
  }

  [[nodiscard]] double alpha_now(double progress) const {
    if (schedule_ == LookaheadSchedule::kConstant) return alpha_;
    return 1 - (1 - alpha_) * (progress * progress * progress);
  }

  std::unique_ptr<const Optimizer> inner_;
  std::int64_t steps_;
  double alpha_;
  LookaheadSchedule schedule_;
};

}  // namespace

std::unique_ptr<const Optimizer> look_ahead(std::unique_ptr<const Optimizer> inner, std::int64_t steps,
                                            double alpha, LookaheadSchedule schedule) {
  return std::make_unique<Lookahead>(std::move(inner), steps, alpha, schedule);
}

}  // namespace convoy::optim
