// relu, sigmoid, tanh: element by element; backward needs the output alone.

#include "layers.hpp"

namespace convoy::nn {
namespace {

/// `Kind` names the operation: keyword, nonlinearity, kernels, kinks.
template <class Kind>
class Activation final : public LayerOf<Activation<Kind>> {
 public:
  explicit Activation(const Shape& shape) : shape_(shape) {}

  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string description() const override { return Kind::kKeyword; }
  [[nodiscard]] Nonlinearity nonlinearity() const override { return Kind::kNonlinearity; }
  [[nodiscard]] kernels::Activation activation() const override { return Kind::kActivation; }
  [[nodiscard]] bool has_kinks() const override { return Kind::kHasKinks; }
  [[nodiscard]] Traits traits() const override { return {.backward_reads_src = false}; }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    kernels::activation_forward(pass.kernels, Kind::kActivation)(size(pass), pass.src[0], pass.dst,
                                                                 pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    if (pass.diff_src[0] != nullptr)
      kernels::activation_backward(pass.kernels, Kind::kActivation)(size(pass), pass.dst, pass.diff_dst,
                                                                    pass.diff_src[0], pass.team);
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
  static constexpr Nonlinearity kNonlinearity = Nonlinearity::kRelu;
  static constexpr kernels::Activation kActivation = kernels::Activation::kRelu;
  static constexpr bool kHasKinks = true;
};

struct Sigmoid {
  static constexpr const char* kKeyword = "sigmoid";
  static constexpr Nonlinearity kNonlinearity = Nonlinearity::kOther;
  static constexpr kernels::Activation kActivation = kernels::Activation::kSigmoid;
  static constexpr bool kHasKinks = false;
};

struct Tanh {
  static constexpr const char* kKeyword = "tanh";
  static constexpr Nonlinearity kNonlinearity = Nonlinearity::kOther;
  static constexpr kernels::Activation kActivation = kernels::Activation::kTanh;
  static constexpr bool kHasKinks = false;
};

template <class Kind>
LayerMaker activation_maker() {
  return {Kind::kKeyword, [](LayerLine&, const Shape& input) -> std::unique_ptr<Layer> {
            return std::make_unique<Activation<Kind>>(input);
          }};
}

}  // namespace

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
