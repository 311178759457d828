// relu, sigmoid, tanh: element by element; backward needs the output alone.

#include "layers.hpp"

namespace convoy::nn {
namespace {

/// `Kind` names the operation: keyword and traits.
template <class Kind>
class Activation final : public LayerOf<Activation<Kind>> {
 public:
  explicit Activation(const Shape& shape) : shape_(shape) {}

  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string_view keyword() const override { return Kind::kKeyword; }
  [[nodiscard]] Traits traits() const override { return Kind::kTraits; }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    kernels::activation_forward(pass.kernels, Kind::kTraits.activation)(size(pass), pass.src[0], pass.dst,
                                                                        pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    if (pass.diff_src[0] != nullptr)
      kernels::activation_backward(pass.kernels, Kind::kTraits.activation)(
          size(pass), pass.dst, pass.diff_dst, pass.diff_src[0], pass.team);
  }

 private:
  template <class Real>
  [[nodiscard]] std::int64_t size(const Pass<Real>& pass) const {
    return pass.batch.blocks() * shape_.size() * kLanes;
  }

  Shape shape_;
};

struct Relu {
  static constexpr const char* kKeyword = "relu";
  static constexpr Traits kTraits{.nonlinearity = Nonlinearity::kRelu,
                                  .activation = kernels::Activation::kRelu,
                                  .has_kinks = true,
                                  .backward_reads_src = false};
};

struct Sigmoid {
  static constexpr const char* kKeyword = "sigmoid";
  static constexpr Traits kTraits{.nonlinearity = Nonlinearity::kOther,
                                  .activation = kernels::Activation::kSigmoid,
                                  .gives_probabilities = true,
                                  .backward_reads_src = false};
};

struct Tanh {
  static constexpr const char* kKeyword = "tanh";
  static constexpr Traits kTraits{.nonlinearity = Nonlinearity::kOther,
                                  .activation = kernels::Activation::kTanh,
                                  .backward_reads_src = false};
};

template <class Kind>
LayerMaker activation_maker() {
  return {Kind::kKeyword, [](LayerLine&, const Shape& input) -> std::unique_ptr<Layer> {
            return std::make_unique<Activation<Kind>>(input);
          }};
}

}  // namespace

std::unique_ptr<Layer> make_relu(const Shape& input) {
  return std::make_unique<Activation<Relu>>(input);
}
std::unique_ptr<Layer> make_sigmoid(const Shape& input) {
  return std::make_unique<Activation<Sigmoid>>(input);
}
std::unique_ptr<Layer> make_tanh(const Shape& input) {
  return std::make_unique<Activation<Tanh>>(input);
}

LayerMaker relu_maker() {
  return activation_maker<Relu>();
}
LayerMaker sigmoid_maker() {
  return activation_maker<Sigmoid>();
}
LayerMaker tanh_maker() {
  return activation_maker<Tanh>();
}

}  // namespace convoy::nn
