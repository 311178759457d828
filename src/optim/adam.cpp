// Adam with weight decay as L2.

#include "moments.hpp"

namespace convoy::optim {
namespace {

class Adam final : public Optimizer {
 public:
  explicit Adam(const OptimizerOptions& options) : options_(options) {}

  [[nodiscard]] std::vector<std::string_view> states() const override { return {"mean", "square"}; }

  void update(const StepInfo& info, const Stretch& stretch, const Norms&) const override {
    adam_update({options_, 1e-8, info}, {.into_gradient = options_.weight_decay * stretch.decay_factor}, info,
                stretch);
  }

 private:
  OptimizerOptions options_;
};

}  // namespace

std::unique_ptr<const Optimizer> make_adam(const OptimizerOptions& options) {
  return std::make_unique<Adam>(options);
}

}  // namespace convoy::optim
