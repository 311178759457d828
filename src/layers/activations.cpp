// Activations: elementwise functions. The kernels hold the formulas.

#include <algorithm>
#include <cassert>

#include "convoy/core/text.hpp"
#include "convoy/layers/layers.hpp"

namespace convoy::nn {
namespace {

/// An activation and its parameter, Activation::slope.
struct Kind {
  std::string_view keyword;
  ActivationKind kind;
  Nonlinearity nonlinearity = Nonlinearity::kRectifier;
  bool has_kinks = false;
  bool gives_probabilities = false;
  const char* parameter = nullptr;  ///< its name in the line; null: none
  double otherwise = 0;             ///< its default, and the least that is allowed
  double least = 0;
};

constexpr double kMostParameter = 100;

constexpr Kind kKinds[] = {
    {.keyword = "relu", .kind = ActivationKind::kRelu, .has_kinks = true},
    {.keyword = "sigmoid",
     .kind = ActivationKind::kSigmoid,
     .nonlinearity = Nonlinearity::kOther,
     .gives_probabilities = true},
    {.keyword = "tanh", .kind = ActivationKind::kTanh, .nonlinearity = Nonlinearity::kOther},
    {.keyword = "leakyrelu",
     .kind = ActivationKind::kLeakyRelu,
     .has_kinks = true,
     .parameter = "slope",
     .otherwise = 0.01},
    {.keyword = "relu6", .kind = ActivationKind::kRelu6, .has_kinks = true},
    {.keyword = "elu",
     .kind = ActivationKind::kElu,
     .has_kinks = true,  // unless alpha is 1
     .parameter = "alpha",
     .otherwise = 1,
     .least = 1e-6},
    {.keyword = "hardsigmoid",
     .kind = ActivationKind::kHardSigmoid,
     .nonlinearity = Nonlinearity::kOther,
     .has_kinks = true},
    {.keyword = "gelu", .kind = ActivationKind::kGelu},
    {.keyword = "swish", .kind = ActivationKind::kSwish},
    {.keyword = "hardswish", .kind = ActivationKind::kHardSwish, .has_kinks = true},
};

class Activation final : public LayerOf<Activation> {
 public:
  Activation(const Kind& kind, double parameter, const Shape& shape)
      : kind_(kind),
        parameter_(parameter),
        activation_{kind.kind, static_cast<float>(parameter)},
        shape_(shape) {}

  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string_view keyword() const override { return kind_.keyword; }
  void visit(AttributeVisitor& visitor) const override {
    if (kind_.parameter != nullptr) visitor.option(kind_.parameter, parameter_, kind_.otherwise);
  }
  [[nodiscard]] Traits traits() const override {
    const double slope = kind_.kind == ActivationKind::kLeakyRelu ? parameter_ : 0;
    return {.nonlinearity = kind_.nonlinearity,
            .he_gain = 2 / (1 + slope * slope),
            .activation = reads_input() ? convoy::Activation{} : activation_,
            .gives_probabilities = kind_.gives_probabilities,
            .has_kinks = kind_.has_kinks,
            .backward_reads_src = reads_input(),
            .backward_reads_dst = !reads_input()};
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    pass.kernels.activation_forward(activation_, size(pass), pass.src[0], pass.dst, pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    if (pass.diff_src[0] != nullptr)
      pass.kernels.activation_backward(activation_, size(pass), reads_input() ? pass.src[0] : pass.dst,
                                       pass.diff_dst, pass.diff_src[0], pass.team);
  }

 private:
  template <class Real>
  [[nodiscard]] std::int64_t size(const Pass<Real>& pass) const {
    return pass.batch.blocks() * shape_.size() * kLanes;
  }

  [[nodiscard]] bool reads_input() const { return derivative_reads_input(kind_.kind); }

  Kind kind_;
  double parameter_;
  convoy::Activation activation_;
  Shape shape_;
};

}  // namespace

std::unique_ptr<Layer> make_activation(std::string_view keyword, const Shape& input) {
  const auto* found = std::ranges::find(kKinds, keyword, &Kind::keyword);
  assert(found != std::end(kKinds));
  return std::make_unique<Activation>(*found, found->otherwise, input);
}

std::vector<std::pair<std::string, LayerMaker>> activation_makers() {
  std::vector<std::pair<std::string, LayerMaker>> makers;
  for (const Kind& kind : kKinds) {
    const std::string keyword(kind.keyword);
    std::string usage = keyword;
    if (kind.parameter != nullptr)
      usage.append(" [").append(kind.parameter).append("=").append(shortest(kind.otherwise)).append("]");
    makers.emplace_back(keyword, LayerMaker{usage, [&kind](LayerLine& line, const Shape& input) {
                                              const double parameter =
                                                  kind.parameter == nullptr
                                                      ? kind.otherwise
                                                      : line.take_option_number(kind.parameter,
                                                                                kind.otherwise, kind.least,
                                                                                kMostParameter);
                                              return std::make_unique<Activation>(kind, parameter, input);
                                            }});
  }
  return makers;
}

}  // namespace convoy::nn
