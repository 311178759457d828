// `convoy gradcheck` with one more layer, `wrongdense`: a dense layer with the gradient of the first weight
// multiplied by 1.5. For gradcheck_test.sh.

#include <memory>

#include "apps/gradcheck.hpp"
#include "convoy/launch/ranks.hpp"

namespace convoy {
namespace {

class WrongDense final : public nn::LayerOf<WrongDense> {
 public:
  explicit WrongDense(std::unique_ptr<nn::Layer> dense) : dense_(std::move(dense)) {}
  [[nodiscard]] Shape output() const override { return dense_->output(); }
  [[nodiscard]] std::string_view keyword() const override { return dense_->keyword(); }
  void visit(nn::AttributeVisitor& visitor) const override { dense_->visit(visitor); }
  [[nodiscard]] std::vector<nn::Parameter> parameters() const override { return dense_->parameters(); }
  [[nodiscard]] std::int64_t scratch_size(const nn::CallSetting& setting) const override {
    return dense_->scratch_size(setting);
  }
  template <class Real>
  void run_forward(const nn::Pass<Real>& pass) const {
    dense_->forward(pass);
  }
  template <class Real>
  void run_backward(const nn::Pass<Real>& pass) const {
    dense_->backward(pass);
    pass.diff_parameters[0] *= Real(1.5);
  }

 private:
  std::unique_ptr<nn::Layer> dense_;
};

}  // namespace
}  // namespace convoy

int main(int argc, char** argv) {
  using namespace convoy;
  nn::Registry registry = nn::Registry::standard();
  const nn::LayerMaker dense = registry.makers().at("dense");
  registry.add("wrongdense", {dense.usage, [dense](nn::LayerLine& line, const Shape& input) {
                                return std::make_unique<WrongDense>(dense.make(line, input));
                              }});
  try {
    return static_cast<int>(apps::run_gradcheck_with({argv + 1, argv + argc}, registry));
  } catch (...) {
    const launch::Failure failure = launch::current_failure();
    launch::print_failure("gradcheck", failure.message);
    return static_cast<int>(failure.status);
  }
}
