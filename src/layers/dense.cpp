// dense: the multilayer perceptron's layer, z_j = Σ_k w_jk a_k + b_j, on the flattened input (c, h, w; w
// fastest). It is the convolution of a 1×1 image of IN channels with a 1×1 kernel, and is computed as such.

#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"
#include "init.hpp"

namespace convoy::nn {
namespace {

constexpr DenseOptions kDenseDefaults;
constexpr std::int64_t kMostOutputs = 1 << 24;

class Dense final : public LayerOf<Dense> {
 public:
  Dense(std::int64_t inputs, std::int64_t outputs, const DenseOptions& options)
      : inputs_(inputs), outputs_(outputs), bias_(options.bias), init_(options.init) {}

  [[nodiscard]] Shape output() const override { return {outputs_, 1, 1}; }
  [[nodiscard]] std::string_view keyword() const override { return "dense"; }
  void visit(AttributeVisitor& visitor) const override {
    visitor.positional("outputs", outputs_);
    visitor.option("bias", bias_, kDenseDefaults.bias);
    visit_init(visitor, init_);
  }
  [[nodiscard]] Traits traits() const override {
    return {.nonlinearity = Nonlinearity::kOther,
            .takes_epilogue = true,
            .adds_diff_src = true,
            .backward_reads_dst = false};
  }
  [[nodiscard]] std::int64_t multiplications() const override { return inputs_ * outputs_; }

  [[nodiscard]] std::vector<Parameter> parameters() const override {
    std::vector<Parameter> list{{.name = "weight",
                                 .dims = {outputs_, inputs_},
                                 .initializer = init_,
                                 .decays = true,
                                 .fan_in = inputs_,
                                 .fan_out = outputs_}};
    if (bias_) list.push_back({.name = "bias", .dims = {outputs_}});
    return list;
  }

  [[nodiscard]] std::int64_t scratch_size(const CallSetting& setting) const override {
    return setting.planner.conv2d_scratch_size(shape(setting.blocks, setting.precision), setting.threads);
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    const Real* bias = bias_ ? pass.parameters + inputs_ * outputs_ : nullptr;
    pass.kernels.conv2d_forward(shape(pass.batch.blocks(), pass.precision), pass.src[0], pass.parameters,
                                bias, pass.epilogue, pass.dst, pass.scratch, pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    Real* diff_bias = bias_ ? pass.diff_parameters + inputs_ * outputs_ : nullptr;
    pass.kernels.conv2d_backward_weights(shape(pass.batch.blocks(), pass.precision), pass.src[0],
                                         pass.diff_dst, Update::kAssign, pass.diff_parameters, diff_bias,
                                         pass.scratch, pass.team);
    if (pass.diff_src[0] != nullptr)
      pass.kernels.conv2d_backward_data(shape(pass.batch.blocks(), pass.precision), pass.diff_dst,
                                        pass.parameters, pass.update, pass.diff_src[0], pass.scratch,
                                        pass.team);
  }

 private:
  [[nodiscard]] Conv2dShape shape(std::int64_t blocks, Precision precision) const {
    Conv2dShape shape;
    shape.blocks = blocks;
    shape.precision = precision;
    shape.ic = inputs_;
    shape.oc = outputs_;
    return shape;
  }

  std::int64_t inputs_;
  std::int64_t outputs_;
  bool bias_;
  Initializer init_;
};

}  // namespace

std::unique_ptr<Layer> make_dense(const Shape& input, std::int64_t outputs, const DenseOptions& options) {
  if (outputs < 1 || outputs > kMostOutputs)
    throw LayerError("the number of outputs is not from 1 to " + std::to_string(kMostOutputs));
  return std::make_unique<Dense>(input.size(), outputs, options);
}

LayerMaker dense_maker() {
  return {"dense OUTPUTS [bias=yes] [init=auto] [name=…]", [](LayerLine& line, const Shape& input) {
            const std::int64_t outputs = line.take_integer("the number of outputs", 1, kMostOutputs);
            return make_dense(
                input, outputs,
                {.bias = line.take_option_yes_no("bias", kDenseDefaults.bias), .init = take_init(line)});
          }};
}

}  // namespace convoy::nn
