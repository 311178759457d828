// conv: z = w * a + b over every sample's image (src/CONTRACT.md, "Mathematics").

#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"
#include "init.hpp"
#include "window.hpp"

namespace convoy::nn {
namespace {

constexpr ConvOptions kConvDefaults;
constexpr std::int64_t kMostChannels = 1 << 20;

class Conv final : public LayerOf<Conv> {
 public:
  Conv(const Shape& input, std::int64_t channels, const Window& window, const ConvOptions& options)
      : window_(window), output_(window.output(input, channels)), bias_(options.bias), init_(options.init) {
    shape_.ic = input.c;
    shape_.oc = channels;
    window.fill(shape_, input, output_);
    shape_.dh = window.dilation().h;
    shape_.dw = window.dilation().w;
    shape_.groups = options.groups;
  }

  [[nodiscard]] Shape output() const override { return output_; }
  [[nodiscard]] std::string_view keyword() const override { return "conv"; }
  void visit(AttributeVisitor& visitor) const override {
    visitor.positional("channels", shape_.oc);
    window_.visit(visitor, "kernel", kConvDefaults.stride);
    visitor.option("dilation", window_.dilation(), kConvDefaults.dilation);
    visitor.option("groups", shape_.groups, kConvDefaults.groups);
    visitor.option("bias", bias_, kConvDefaults.bias);
    visit_init(visitor, init_);
  }
  [[nodiscard]] Traits traits() const override {
    return {.nonlinearity = Nonlinearity::kOther,
            .takes_epilogue = true,
            .adds_diff_src = true,
            .backward_reads_dst = false};
  }
  [[nodiscard]] std::int64_t multiplications() const override {
    return kernels::conv2d_multiplications(shape_);
  }

  [[nodiscard]] std::string algorithms(const CallSetting& setting, bool wants_diff_src) const override {
    const auto name = [&](ConvAlgorithm algorithm) -> std::string {
      switch (algorithm) {
        case ConvAlgorithm::kMinimalFiltering:
          return shape_.kh == 3 ? "F(4x4,3x3)" : "F(2x2,5x5)";
        case ConvAlgorithm::kMatrixProduct:
          return "matrix product";
        default:
          return "direct";
      }
    };
    if (shape_.groups > 1 && shape_.groups == shape_.ic && shape_.groups == shape_.oc) return "depthwise";
    const auto chosen = setting.planner.conv2d_algorithms(of_call(setting.blocks, setting.precision));
    return "forward " + name(chosen.forward) + ", diff_src " +
           (wants_diff_src ? name(chosen.backward_data) : "not needed") + ", diff_weights " +
           name(chosen.backward_weights);
  }

  [[nodiscard]] std::vector<Parameter> parameters() const override {
    std::vector<Parameter> list{{.name = "weight",
                                 .dims = {shape_.oc, shape_.ic / shape_.groups, shape_.kh, shape_.kw},
                                 .initializer = init_,
                                 .decays = true,
                                 .fan_in = taps(),
                                 .fan_out = shape_.oc / shape_.groups * shape_.kh * shape_.kw}};
    if (bias_) list.push_back({.name = "bias", .dims = {shape_.oc}});
    return list;
  }

  [[nodiscard]] std::int64_t scratch_size(const CallSetting& setting) const override {
    return setting.planner.conv2d_scratch_size(of_call(setting.blocks, setting.precision), setting.threads);
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    const Real* bias = bias_ ? pass.parameters + weights() : nullptr;
    pass.kernels.conv2d_forward(of_call(pass.batch.blocks(), pass.precision), pass.src[0], pass.parameters,
                                bias, pass.epilogue, pass.dst, pass.scratch, pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    const Conv2dShape shape = of_call(pass.batch.blocks(), pass.precision);
    Real* diff_bias = bias_ ? pass.diff_parameters + weights() : nullptr;
    pass.kernels.conv2d_backward_weights(shape, pass.src[0], pass.diff_dst, Update::kAssign,
                                         pass.diff_parameters, diff_bias, pass.scratch, pass.team);
    if (pass.diff_src[0] != nullptr)
      pass.kernels.conv2d_backward_data(shape, pass.diff_dst, pass.parameters, pass.update, pass.diff_src[0],
                                        pass.scratch, pass.team);
  }

 private:
  [[nodiscard]] std::int64_t taps() const { return shape_.ic / shape_.groups * shape_.kh * shape_.kw; }
  [[nodiscard]] std::int64_t weights() const { return shape_.oc * taps(); }
  [[nodiscard]] Conv2dShape of_call(std::int64_t blocks, Precision precision) const {
    Conv2dShape shape = shape_;
    shape.blocks = blocks;
    shape.precision = precision;
    return shape;
  }

  Window window_;
  Shape output_;
  Conv2dShape shape_;
  bool bias_;
  Initializer init_;
};

}  // namespace

std::unique_ptr<Layer> make_conv(const Shape& input, std::int64_t channels, const HeightWidth& kernel,
                                 const ConvOptions& options) {
  if (channels < 1 || channels > kMostChannels)
    throw LayerError("the number of output channels is not from 1 to " + std::to_string(kMostChannels));
  const std::int64_t groups = options.groups;
  if (groups < 1 || input.c % groups != 0 || channels % groups != 0)
    throw LayerError("groups=" + std::to_string(groups) + " does not divide the " + std::to_string(input.c) +
                     " input channels and the " + std::to_string(channels) +
                     " output channels (each group reads and writes as many as the others)");
  return std::make_unique<Conv>(
      input, channels, Window(kernel, options.stride, options.pad, input, options.dilation), options);
}

LayerMaker conv_maker() {
  return {"conv CHANNELS KHxKW [stride=1] [pad=0] [dilation=1] [groups=1] [bias=yes] [init=auto] [name=…]",
          [](LayerLine& line, const Shape& input) {
            const std::int64_t channels =
                line.take_integer("the number of output channels", 1, kMostChannels);
            const HeightWidth kernel = take_size(line, "the kernel");
            return make_conv(input, channels, kernel,
                             {.stride = take_stride(line, kConvDefaults.stride),
                              .pad = take_pad(line),
                              .dilation = take_dilation(line),
                              .groups = line.take_option("groups", kConvDefaults.groups, 1, kMostChannels),
                              .bias = line.take_option_yes_no("bias", kConvDefaults.bias),
                              .init = take_init(line)});
          }};
}

}  // namespace convoy::nn
