// Adam with decoupled weight decay.

#include "moments.hpp"

namespace convoy::optim {
namespace {

class Adamw final : public Optimizer {
 public:
  explicit Adamw(const OptimizerOptions& options) : options_(options) {}

  [[nodiscard]] std::vector<std::string_view> states() const override { return {"mean", "square"}; }

  void update(const StepInfo& info, const Stretch& stretch, const Norms&) const override {
    const double rate = info.learning_rate * stretch.rate_factor;
    adam_update({options_, 1e-8, info}, {.shrink = 1 - rate * (options_.weight_decay * stretch.decay_factor)},
                info, stretch);
  }

 private:
  OptimizerOptions options_;
};

}  // namespace

std::unique_ptr<const Optimizer> make_adamw(const OptimizerOptions& options) {
  return std::make_unique<Adamw>(options);
}

}  // namespace convoy::optim
