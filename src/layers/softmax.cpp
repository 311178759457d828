// softmax over a vector of features, a_k = e^{z_k} / Σ e^{z_j}. For use before the quadratic loss; the
// cross-entropy losses include softmax.

#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"

namespace convoy::nn {
namespace {

class Softmax final : public LayerOf<Softmax> {
 public:
  explicit Softmax(std::int64_t features) : features_(features) {}

  [[nodiscard]] Shape output() const override { return {features_, 1, 1}; }
  [[nodiscard]] std::string_view keyword() const override { return "softmax"; }
  [[nodiscard]] Traits traits() const override {
    return {.nonlinearity = Nonlinearity::kOther, .gives_probabilities = true, .backward_reads_src = false};
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    pass.kernels.softmax_forward(pass.batch.blocks(), features_, pass.src[0], pass.dst, pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    if (pass.diff_src[0] != nullptr)
      pass.kernels.softmax_backward(pass.batch.blocks(), features_, pass.dst, pass.diff_dst, pass.diff_src[0],
                                    pass.team);
  }

 private:
  std::int64_t features_;
};

}  // namespace

std::unique_ptr<Layer> make_softmax(const Shape& input) {
  if (input.h != 1 || input.w != 1) {
    throw LayerError("its input is an image of " + to_string(input) +
                     " (softmax takes a vector: put flatten or dense before it)");
  }
  return std::make_unique<Softmax>(input.c);
}

LayerMaker softmax_maker() {
  return {"softmax", [](LayerLine&, const Shape& input) { return make_softmax(input); }};
}

}  // namespace convoy::nn
