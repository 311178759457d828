// Tests of the gradient check: it accepts correct networks and names the error in networks broken on purpose.

#include "convoy/check/gradient_check.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "convoy/core/error.hpp"
#include "unit/layers/layer_run.hpp"

namespace convoy::check {
namespace {

/// A network together with the images it uses.
struct Example {
  GradientCheckCase what;
  AlignedBuffer<float> images;
  std::vector<std::int64_t> labels;
  std::vector<std::int64_t> samples;
};

std::unique_ptr<Example> example(const Shape& input, const std::vector<std::string>& lines,
                                 const nn::LossFunction& loss, std::int64_t classes,
                                 std::int64_t samples = 3) {
  auto made = std::make_unique<Example>();
  made->images = test::to_lanes<float>(nn::spread_numbers(samples * input.size(), 1), samples, input.size(),
                                       test::IdleLanes::kFirstSample);
  for (std::int64_t n = 0; n < samples; ++n) {
    made->labels.push_back(n % classes);
    made->samples.push_back(10 + n);
  }
  made->what = {.input = input,
                .layers = {},
                .loss = loss,
                .classes = classes,
                .images = made->images.span(),
                .labels = made->labels,
                .samples = made->samples,
                .entries = 30,
                .isa = kernels::supported_isas().back()};
  for (const std::string& line : lines) made->what.layers.push_back({line, "test"});
  return made;
}

const std::vector<std::string> kConvolutional{"conv 4 3x3", "relu", "maxpool 2x2",
                                              "dense 6",    "tanh", "dense 3"};

/// Runs the contained layer, then damages the results of backward.
class Spoiled final : public nn::Layer {
 public:
  enum class What { kDiffParameter, kDiffSrc, kUnassigned };
  Spoiled(std::unique_ptr<nn::Layer> layer, What what) : layer_(std::move(layer)), what_(what) {}

  [[nodiscard]] Shape output() const override { return layer_->output(); }
  [[nodiscard]] std::string_view keyword() const override { return layer_->keyword(); }
  void visit(nn::AttributeVisitor& visitor) const override { layer_->visit(visitor); }
  [[nodiscard]] std::vector<nn::Parameter> parameters() const override { return layer_->parameters(); }
  [[nodiscard]] std::int64_t scratch_size(const nn::CallSetting& setting) const override {
    return layer_->scratch_size(setting);
  }
  void forward(const nn::Pass<float>& pass) const override { layer_->forward(pass); }
  void forward(const nn::Pass<double>& pass) const override { layer_->forward(pass); }
  void backward(const nn::Pass<float>& pass) const override { spoil(pass); }
  void backward(const nn::Pass<double>& pass) const override { spoil(pass); }

 private:
  template <class Real>
  void spoil(const nn::Pass<Real>& pass) const {
    const Real before = pass.diff_parameters[0];
    layer_->backward(pass);
    if (what_ == What::kDiffParameter) pass.diff_parameters[5] *= Real(1.01);
    if (what_ == What::kUnassigned) pass.diff_parameters[0] = before;
    if (what_ == What::kDiffSrc)
      for (std::int64_t i = 0; i < kLanes; ++i) pass.diff_src[0][i] = -pass.diff_src[0][i];
  }

  std::unique_ptr<nn::Layer> layer_;
  What what_;
};

nn::Registry with_wrong_dense(Spoiled::What what) {
  nn::Registry registry = nn::Registry::standard();
  const nn::LayerMaker right = registry.makers().at("dense");
  registry.add("wrongdense", {right.usage, [right, what](nn::LayerLine& line, const Shape& input) {
                                return std::make_unique<Spoiled>(right.make(line, input), what);
                              }});
  return registry;
}

GradientCheck check_wrong_dense(Spoiled::What what) {
  const auto made =
      example({2, 8, 8}, {"conv 4 3x3", "relu", "maxpool 2x2", "wrongdense 6", "tanh", "dense 3"},
              nn::LossKind::kSoftmaxCrossEntropy, 3);
  made->what.entries = 1000;  // all
  return check_gradients(made->what, with_wrong_dense(what));
}

/// Every loss with its default parameters, and some with others.
std::vector<nn::LossFunction> every_loss() {
  std::vector<nn::LossFunction> losses;
  for (std::size_t i = 0; i < nn::loss_names().size(); ++i) losses.emplace_back(static_cast<nn::LossKind>(i));
  losses.emplace_back(nn::LossKind::kHuber).huber_delta = 0.3;
  losses.emplace_back(nn::LossKind::kSoftmaxCrossEntropy).label_smoothing = 0.2;
  losses.emplace_back(nn::LossKind::kSoftmaxCrossEntropy).focal_gamma = 2;
  losses.emplace_back(nn::LossKind::kSigmoidCrossEntropy).focal_gamma = 0.5;
  losses.emplace_back(nn::LossKind::kSoftmaxCrossEntropy).class_weights = {2, 0.5, 1};
  return losses;
}

TEST(GradientCheck, PassesRightNetworksUnderEveryLoss) {
  for (const nn::LossFunction& loss : every_loss()) {
    const auto made = example({2, 8, 8}, kConvolutional, loss, 3);
    const GradientCheck result = check_gradients(made->what);
    EXPECT_TRUE(result.passed()) << describe(loss) << ": " << result.tensors[result.worst].layer << ' '
                                 << result.tensors[result.worst].worst_error << ", skipped "
                                 << result.skipped;
    EXPECT_GT(result.checked, 200);
  }
}

TEST(GradientCheck, PassesNestedResidualBlocksWithAndWithoutShortcut) {
  const std::vector<std::string> lines{"conv 3 3x3 pad=1 bias=no",
                                       "batchnorm",
                                       "relu",
                                       "residual {",
                                       "conv 3 3x3 pad=1",
                                       "residual {",
                                       "tanh",
                                       "conv 3 1x1",
                                       "}",
                                       "batchnorm",
                                       "}",
                                       "relu",
                                       "residual {",
                                       "conv 4 3x3 pad=1 stride=2",
                                       "sigmoid",
                                       "} shortcut {",
                                       "conv 4 1x1 stride=2 bias=no",
                                       "batchnorm",
                                       "}",
                                       "dropout 0.3",
                                       "globalavgpool",
                                       "dense 3"};
  for (const std::int64_t samples : {2, 5, 17}) {
    const auto made = example({2, 6, 6}, lines, nn::LossKind::kSoftmaxCrossEntropy, 3, samples);
    const GradientCheck result = check_gradients(made->what);
    EXPECT_TRUE(result.passed()) << samples << ": " << result.tensors[result.worst].layer << ' '
                                 << result.tensors[result.worst].worst_error << ", skipped "
                                 << result.skipped;
  }
}

TEST(GradientCheck, PassesBranchesWithinBranches) {
  const auto made = example({2, 4, 6},
                            {"conv 3 3x3 pad=1",
                             "tanh",
                             "branches {",
                             "} and {",
                             "avgpool 2x2",
                             "branches {",
                             "conv 2 1x1",
                             "sigmoid",
                             "} and {",
                             "conv 3 3x3 pad=1",
                             "}",
                             "conv 2 3x3 pad=1",
                             "upsample 2x2",
                             "}",
                             "residual {",
                             "branches {",
                             "conv 2 1x1",
                             "} and {",
                             "}",
                             "conv 5 1x1",
                             "}",
                             "tanh",
                             "upsample 1x2",
                             "globalavgpool",
                             "dense 3"},
                            nn::LossKind::kSoftmaxCrossEntropy, 3, 5);
  const GradientCheck result = check_gradients(made->what);
  EXPECT_TRUE(result.passed()) << result.tensors[result.worst].layer << ' '
                               << result.tensors[result.worst].worst_error;
}

TEST(GradientCheck, PassesBranchesThatBeginAtTheNetworksInput) {
  const auto made =
      example({2, 4, 4}, {"branches {", "} and {", "conv 2 3x3 pad=1", "}", "flatten", "dense 3"},
              nn::LossKind::kQuadratic, 3);
  EXPECT_TRUE(check_gradients(made->what).passed());
}

TEST(GradientCheck, PassesABlockThatBeginsAtTheNetworksInput) {
  const auto made = example({2, 4, 4}, {"residual {", "conv 2 3x3 pad=1", "}", "flatten", "dense 3"},
                            nn::LossKind::kQuadratic, 3);
  EXPECT_TRUE(check_gradients(made->what).passed());
}

TEST(GradientCheck, PassesABiasWhoseGradientIsZeroBecauseBatchnormFollows) {
  const auto made =
      example({1, 5, 5}, {"conv 3 3x3", "batchnorm", "dense 2"}, nn::LossKind::kSoftmaxCrossEntropy, 2);
  EXPECT_TRUE(check_gradients(made->what).passed());
}

TEST(GradientCheck, NamesAWeightWhoseGradientIsWrongByOnePercent) {
  const GradientCheck result = check_wrong_dense(Spoiled::What::kDiffParameter);
  EXPECT_FALSE(result.gradients_right());
  EXPECT_FALSE(result.passed());
  EXPECT_EQ(result.tensors[result.worst].layer, "wrongdense1");
  EXPECT_EQ(result.tensors[result.worst].name, "weight");
  EXPECT_EQ(result.tensors[result.worst].worst_index, 5);
}

// The weights' gradient is correct; the diff of the input is not.
TEST(GradientCheck, NamesTheLayerWhoseInputDiffIsWrong) {
  const GradientCheck result = check_wrong_dense(Spoiled::What::kDiffSrc);
  EXPECT_FALSE(result.passed());
  std::size_t last_wrong = 0;
  for (std::size_t i = 0; i < result.tensors.size(); ++i)
    if (result.tensors[i].worst_error > kGradientTolerance) last_wrong = i;
  EXPECT_EQ(result.tensors[last_wrong].layer, "wrongdense1");
  EXPECT_EQ(result.tensors[last_wrong].name, "input");
}

TEST(GradientCheck, FailsWhereBackwardLeavesAnElementUnassigned) {
  const GradientCheck result = check_wrong_dense(Spoiled::What::kUnassigned);
  EXPECT_FALSE(result.gradients_right());
  EXPECT_EQ(result.tensors[result.worst].layer, "wrongdense1");
}

/// Reports every change as a kink.
class AllKinks final : public nn::LayerOf<AllKinks> {
 public:
  explicit AllKinks(const Shape& shape) : shape_(shape) {}
  [[nodiscard]] Shape output() const override { return shape_; }
  [[nodiscard]] std::string_view keyword() const override { return "allkinks"; }
  [[nodiscard]] nn::Traits traits() const override { return {.has_kinks = true}; }
  [[nodiscard]] std::int64_t saved_bytes(std::int64_t blocks, std::int64_t real_size) const override {
    return blocks * shape_.size() * kLanes * real_size;
  }
  template <class Real>
  void run_forward(const nn::Pass<Real>& pass) const {
    const std::int64_t size = pass.batch.blocks() * shape_.size() * kLanes;
    std::copy_n(pass.src[0], size, pass.dst);
    std::memcpy(pass.saved, pass.src[0], static_cast<std::size_t>(size) * sizeof(Real));
  }
  template <class Real>
  void run_backward(const nn::Pass<Real>& pass) const {
    std::copy_n(pass.diff_dst, pass.batch.blocks() * shape_.size() * kLanes, pass.diff_src[0]);
  }

 private:
  Shape shape_;
};

TEST(GradientCheck, SkipsEntriesWhereAKinkLiesWithinEveryStepAndFailsWhereTheyAreMany) {
  nn::Registry registry = nn::Registry::standard();
  registry.add("allkinks", {"allkinks", [](nn::LayerLine&, const Shape& input) {
                              return std::make_unique<AllKinks>(input);
                            }});
  const auto made = example({1, 3, 3}, {"dense 4", "allkinks", "dense 2"}, nn::LossKind::kQuadratic, 2);
  const GradientCheck result = check_gradients(made->what, registry);
  EXPECT_TRUE(result.gradients_right());
  EXPECT_FALSE(result.few_skipped());
  EXPECT_FALSE(result.passed());
  for (const TensorCheck& each : result.tensors) {
    const bool is_before = each.layer == "dense1" || each.layer == "allkinks1";
    EXPECT_EQ(each.checked == 0, is_before) << each.layer << ' ' << each.name;
    EXPECT_EQ(each.skipped > 0, is_before) << each.layer << ' ' << each.name;
  }
}

// The sum of the second block is a separate call, because tanh cannot take the sum; so is the relu after it.
TEST(GradientCheck, ProbesWhatGoesIntoEveryLayerButAFusedActivation) {
  const auto made = example({1, 4, 4},
                            {"conv 2 3x3 pad=1", "relu", "residual {", "conv 2 1x1", "}", "relu",
                             "residual {", "tanh", "}", "relu", "dense 3"},
                            nn::LossKind::kSoftmaxCrossEntropy, 3);
  std::vector<std::string> probed;
  for (const TensorCheck& each : check_gradients(made->what).tensors)
    if (each.name == "input") probed.push_back(each.layer);
  EXPECT_EQ(probed, (std::vector<std::string>{"conv1", "conv2", "tanh1", "relu3", "dense1", "loss"}));
}

TEST(GradientCheck, IsAFunctionOfTheSeed) {
  const auto made = example({2, 8, 8}, kConvolutional, nn::LossKind::kSoftmaxCrossEntropy, 3);
  const GradientCheck first = check_gradients(made->what);
  const GradientCheck second = check_gradients(made->what);
  for (std::size_t i = 0; i < first.tensors.size(); ++i) {
    EXPECT_EQ(first.tensors[i].worst_index, second.tensors[i].worst_index);
    EXPECT_EQ(first.tensors[i].worst_error, second.tensors[i].worst_error);
  }
}

TEST(GradientCheck, ReportsAWrongNetworkAsItIsWritten) {
  const auto made = example({2, 8, 8}, {"dense 6", "dens 3"}, nn::LossKind::kQuadratic, 3);
  try {
    (void)check_gradients(made->what);
    FAIL() << "no ConfigError";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("unknown keyword 'dens'"), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find("probe"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace convoy::check
