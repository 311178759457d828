// Activations: elementwise functions; backward needs only the output. The kernels hold the formulas.

#include <algorithm>
#include <cassert>

#include "layers.hpp"

namespace convoy::nn {
namespace {

/// Keyword and traits of an activation; the traits name the function.
struct Kind {
  std::string_view keyword;
  Traits traits;
};

constexpr Kind kKinds[] = {
    {"relu",
     {.nonlinearity = Nonlinearity::kRectifier,
      .activation = {.kind = ActivationKind::kRelu},
      .has_kinks = true,
      .backward_reads_src = false}},
    {"sigmoid",
     {.nonlinearity = Nonlinearity::kOther,
      .activation = {.kind = ActivationKind::kSigmoid},
      .gives_probabilities = true,
      .backward_reads_src = false}},
    {"tanh",
     {.nonlinearity = Nonlinearity::kOther,
      .activation = {.kind = ActivationKind::kTanh},
      .backward_reads_src = false}},
};

class Activation final : public LayerOf<Activation> {
 public:
  Activation(const Kind& kind, const Shape& shape) : kind_(kind), shape_(shape) {}

  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string_view keyword() const override { return kind_.keyword; }
  [[nodiscard]] Traits traits() const override { return kind_.traits; }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    pass.kernels.activation_forward(kind_.traits.activation, size(pass), pass.src[0], pass.dst, pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    if (pass.diff_src[0] != nullptr)
      pass.kernels.activation_backward(kind_.traits.activation, size(pass), pass.dst, pass.diff_dst,
                                       pass.diff_src[0], pass.team);
  }

 private:
  template <class Real>
  [[nodiscard]] std::int64_t size(const Pass<Real>& pass) const {
    return pass.batch.blocks() * shape_.size() * kLanes;
  }

  Kind kind_;
  Shape shape_;
};

}  // namespace

std::unique_ptr<Layer> make_activation(std::string_view keyword, const Shape& input) {
  const auto* found = std::ranges::find(kKinds, keyword, &Kind::keyword);
  assert(found != std::end(kKinds));
  return std::make_unique<Activation>(*found, input);
}

std::vector<std::pair<std::string, LayerMaker>> activation_makers() {
  std::vector<std::pair<std::string, LayerMaker>> makers;
  for (const Kind& kind : kKinds) {
    const std::string keyword(kind.keyword);
    makers.emplace_back(keyword, LayerMaker{keyword, [&kind](LayerLine&, const Shape& input) {
                                              return std::make_unique<Activation>(kind, input);
                                            }});
  }
  return makers;
}

}  // namespace convoy::nn
