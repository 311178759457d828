// batchnorm: normalises every channel with the statistics of the micro-batch (ghost batch normalisation,
// Hoffer et al. 2017); in evaluation with the running statistics (moving averages with the layer's momentum).

#include "convoy/layers/layer_error.hpp"
#include "convoy/layers/layers.hpp"

namespace convoy::nn {
namespace {

constexpr BatchNormOptions kBatchNormDefaults;
constexpr double kLeastEps = 1e-12;
constexpr std::string_view kOne = "one";
constexpr std::string_view kZero = "zero";

class BatchNorm final : public LayerOf<BatchNorm> {
 public:
  BatchNorm(const Shape& shape, const BatchNormOptions& options) : shape_(shape), options_(options) {}

  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string_view keyword() const override { return "batchnorm"; }
  void visit(AttributeVisitor& visitor) const override {
    visitor.option("eps", options_.eps, kBatchNormDefaults.eps);
    visitor.option("momentum", options_.momentum, kBatchNormDefaults.momentum);
    visitor.option("scale", options_.scale, kBatchNormDefaults.scale);
    visitor.option("init", std::string(options_.init == Initializer::kOnes ? kOne : kZero),
                   std::string(kOne));
  }

  [[nodiscard]] std::vector<Parameter> parameters() const override {
    std::vector<Parameter> list;
    if (options_.scale) list.push_back({.name = "weight", .dims = {shape_.c}, .initializer = options_.init});
    list.push_back({.name = "bias", .dims = {shape_.c}});
    return list;
  }
  [[nodiscard]] std::vector<Statistic> statistics() const override {
    return {{.name = "running_mean", .dims = {shape_.c}, .momentum = options_.momentum},
            {.name = "running_var",
             .dims = {shape_.c},
             .initializer = Initializer::kOnes,
             .momentum = options_.momentum}};
  }
  /// Mean and variance of the micro-batch, 2 × [C].
  [[nodiscard]] std::int64_t saved_bytes(std::int64_t, std::int64_t real_size) const override {
    return 2 * shape_.c * real_size;
  }

  [[nodiscard]] Traits traits() const override {
    return {.takes_epilogue = true, .differentiates_activation = true, .backward_reads_dst = false};
  }

  template <class Real>
  void run_forward(const Pass<Real>& pass) const {
    const Real* weight = weight_in(pass.parameters);
    const Real* bias = bias_in(pass.parameters);
    if (pass.batch.phase == Phase::kEvaluation) {
      pass.kernels.batchnorm_inference(shape_of(pass), pass.src[0], weight, bias, pass.statistics,
                                       pass.statistics + shape_.c, pass.epilogue, pass.dst, pass.team);
      return;
    }
    auto* mean = reinterpret_cast<Real*>(pass.saved);
    pass.kernels.batchnorm_forward(shape_of(pass), pass.src[0], weight, bias, pass.epilogue, pass.dst, mean,
                                   mean + shape_.c, pass.team);
  }

  template <class Real>
  void run_backward(const Pass<Real>& pass) const {
    const auto* mean = reinterpret_cast<const Real*>(pass.saved);
    const Real* variance = mean + shape_.c;
    pass.kernels.batchnorm_backward(shape_of(pass), pass.src[0], pass.epilogue.activation, pass.dst,
                                    pass.diff_dst, weight_in(pass.parameters), mean, variance,
                                    pass.diff_src[0], weight_in(pass.diff_parameters),
                                    bias_in(pass.diff_parameters), pass.team);
    if (pass.team.index() == 0) {
      const auto samples = static_cast<Real>(pass.batch.size());
      const auto elements = static_cast<Real>(pass.batch.size() * shape_.h * shape_.w);
      // Unbiased, as in PyTorch, which refuses a single element: here the running variance stays.
      const Real unbias = elements > 1 ? elements / (elements - 1) : Real{1};
      if (elements == 1 && pass.statistics != nullptr) variance = pass.statistics + shape_.c;
      for (std::int64_t c = 0; c < shape_.c; ++c) {
        pass.batch_statistics[c] = samples * mean[c];
        pass.batch_statistics[shape_.c + c] = samples * (variance[c] * unbias);
      }
    }
    pass.team.barrier();
  }

 private:
  template <class Real>
  [[nodiscard]] Real* weight_in(Real* parameters) const {
    return options_.scale ? parameters : nullptr;
  }
  template <class Real>
  [[nodiscard]] Real* bias_in(Real* parameters) const {
    return parameters + (options_.scale ? shape_.c : 0);
  }
  template <class Real>
  [[nodiscard]] BatchNormShape shape_of(const Pass<Real>& pass) const {
    return {.blocks = pass.batch.blocks(),
            .samples = pass.batch.size(),
            .c = shape_.c,
            .spatial = shape_.h * shape_.w,
            .epsilon = options_.eps};
  }

  Shape shape_;
  BatchNormOptions options_;
};

}  // namespace

std::unique_ptr<Layer> make_batchnorm(const Shape& input, const BatchNormOptions& options) {
  if (!(options.eps >= kLeastEps && options.eps <= 1)) throw LayerError("eps is not from 1e-12 to 1");
  if (!(options.momentum >= 0 && options.momentum <= 1)) throw LayerError("momentum is not from 0 to 1");
  if (options.init == Initializer::kZeros && !options.scale)
    throw LayerError("init=zero is for the weight, which scale=no leaves out");
  return std::make_unique<BatchNorm>(input, options);
}

LayerMaker batchnorm_maker() {
  return {"batchnorm [eps=1e-5] [momentum=0.1] [scale=yes] [init=one] [name=…]",
          [](LayerLine& line, const Shape& input) {
            return make_batchnorm(
                input,
                {.eps = line.take_option_number("eps", kBatchNormDefaults.eps, kLeastEps, 1),
                 .momentum = line.take_option_number("momentum", kBatchNormDefaults.momentum, 0, 1),
                 .scale = line.take_option_yes_no("scale", kBatchNormDefaults.scale),
                 .init = line.take_option_choice("init", {kOne, kZero}, 0) == 0 ? Initializer::kOnes
                                                                                : Initializer::kZeros});
          }};
}

}  // namespace convoy::nn
