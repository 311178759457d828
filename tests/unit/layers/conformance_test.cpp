// Tests that every layer of the registry must pass. A new layer needs a line in layer_cases().

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <tuple>

#include "convoy/core/text.hpp"
#include "unit/layers/layer_run.hpp"

namespace convoy::nn {
namespace {

struct LayerCase {
  std::string text;
  Shape input;
};

const std::vector<LayerCase>& layer_cases() {
  static const std::vector<LayerCase> cases{
      {"adaptiveavgpool 2x3", {3, 5, 7}},
      {"adaptiveavgpool 3x1", {2, 3, 4}},
      {"avgpool 2x2", {2, 5, 4}},
      {"avgpool 3x2 stride=2x1 pad=1", {3, 5, 4}},
      {"batchnorm", {3, 3, 2}},
      {"batchnorm eps=0.1 momentum=0.01", {20, 2, 1}},
      {"batchnorm scale=no", {4, 3, 2}},
      {"batchnorm init=zero", {2, 3, 2}},
      {"conv 3 3x3", {1, 3, 5}},
      {"conv 6 2x3 stride=2x1 pad=1x2 bias=no", {3, 4, 5}},
      {"conv 20 1x1", {6, 2, 3}},
      {"conv 2 3x3 stride=3 pad=2", {3, 4, 4}},
      {"conv 4 3x2 pad=2 dilation=2x3", {2, 5, 6}},
      {"conv 6 3x3 pad=1 groups=2", {4, 4, 3}},
      {"conv 5 3x3 stride=2 pad=1 groups=5 bias=no", {5, 5, 6}},
      {"conv 4 3x3 init=dirac", {2, 4, 4}},
      {"dense 7", {3, 2, 2}},
      {"dense 6 init=orthogonal", {3, 2, 2}},
      {"dense 20 bias=no", {5, 1, 1}},
      {"dropout 0.4", {3, 3, 3}},
      {"elu", {3, 4, 3}},
      {"elu alpha=0.5", {3, 4, 3}},
      {"flatten", {3, 4, 2}},
      {"gelu", {3, 4, 3}},
      {"globalavgpool", {3, 3, 5}},
      {"groupnorm 2", {4, 3, 2}},
      {"groupnorm 3 eps=0.01 affine=no", {6, 2, 3}},
      {"hardsigmoid", {3, 4, 3}},
      {"hardswish", {3, 4, 3}},
      {"instancenorm", {3, 3, 3}},
      {"instancenorm eps=0.1 affine=yes", {2, 3, 3}},
      {"layernorm", {5, 2, 2}},
      {"layernorm eps=0.01 affine=no", {5, 1, 1}},
      {"leakyrelu slope=0.2", {3, 4, 3}},
      {"maxpool 2x2", {3, 4, 5}},
      {"maxpool 3x3 stride=2 pad=1", {2, 5, 5}},
      {"relu", {3, 4, 3}},
      {"relu6", {3, 4, 3}},
      {"scale 0.25", {3, 4, 3}},
      {"sigmoid", {3, 4, 3}},
      {"softmax", {7, 1, 1}},
      {"swish", {3, 4, 3}},
      {"tanh", {3, 4, 3}},
      {"upsample 2x2", {3, 2, 3}},
      {"upsample 1x3", {2, 3, 2}},
  };
  return cases;
}

struct Conformance : testing::TestWithParam<std::tuple<std::size_t, std::int64_t>> {
  void SetUp() override {
    const auto [index, samples] = GetParam();
    input = layer_cases()[index].input;
    layer = make_layer(layer_cases()[index].text, input);
    given = make_input(*layer, input, samples);
  }

  template <class Real>
  [[nodiscard]] LayerOutput run(const kernels::KernelTable<Real>& kernels, int threads = 1,
                                Backward backward = Backward::kOnce) const {
    return run_layer(*layer, input, given, kernels, threads, Phase::kTraining, backward);
  }

  Shape input;
  std::unique_ptr<Layer> layer;
  LayerInput given;
};

std::string case_name(const testing::TestParamInfo<std::tuple<std::size_t, std::int64_t>>& parameter) {
  const auto [index, samples] = parameter.param;
  std::string name;
  for (const char c : layer_cases()[index].text)
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name + "_of_" + std::to_string(samples);
}

/// Without views (flatten), which have no passes.
std::vector<std::size_t> cases_with_passes() {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < layer_cases().size(); ++i)
    if (!make_layer(layer_cases()[i].text, layer_cases()[i].input)->traits().is_view) chosen.push_back(i);
  return chosen;
}

INSTANTIATE_TEST_SUITE_P(All, Conformance,
                         testing::Combine(testing::ValuesIn(cases_with_passes()),
                                          testing::Values(1, 5, 16, 17)),
                         case_name);

void expect_all_assigned(const Numbers& values, const std::string& what) {
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_FALSE(std::isnan(values[i])) << what << ' ' << i;
}

TEST(ConformanceSuite, CoversEveryKeywordOfTheRegistry) {
  std::set<std::string> covered;
  for (const LayerCase& each : layer_cases()) covered.insert(split_words(each.text).front());
  const Registry registry = Registry::standard();
  for (const auto& [keyword, maker] : registry.makers())
    EXPECT_TRUE(covered.contains(keyword)) << keyword << " needs a line in layer_cases()";
}

// The cases have the form of descriptions: positional values, options in the order of the usage, no defaults.
// So a layer whose visit() omits an attribute fails.
TEST(ConformanceSuite, ADescriptionIsTheLineAndMakesALayerOfEqualAttributes) {
  for (const LayerCase& each : layer_cases()) {
    const auto layer = make_layer(each.text, each.input);
    EXPECT_EQ(layer->description(), each.text);
    const auto again = make_layer(layer->description(), each.input);
    EXPECT_EQ(again->keyword(), layer->keyword()) << each.text;
    EXPECT_EQ(attributes_of(*again), attributes_of(*layer)) << each.text;
  }
}

TEST(ConformanceSuite, EveryOptionOfAUsageIsGivenInSomeCase) {
  const Registry registry = Registry::standard();
  for (const auto& [keyword, maker] : registry.makers()) {
    for (const std::string& word : split_words(maker.usage)) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos || word.starts_with("[name=")) continue;
      const std::string option =
          ' ' + word.substr(1, equals);  // "[stride=1]" or, for two words, "[stride=the"
      EXPECT_TRUE(std::ranges::any_of(layer_cases(),
                                      [&, name = keyword](const LayerCase& each) {
                                        return split_words(each.text).front() == name &&
                                               each.text.find(option) != std::string::npos;
                                      }))
          << keyword << " needs a line with" << option << " in layer_cases()";
    }
  }
}

TEST(ConformanceSuite, AViewHasAsManyElementsAsItsInput) {
  for (const LayerCase& each : layer_cases()) {
    const auto layer = make_layer(each.text, each.input);
    if (!layer->traits().is_view) continue;
    EXPECT_EQ(layer->output().size(), each.input.size()) << each.text;
  }
}

// The buffers have the declared sizes, start as NaN and lie between guards.
TEST_P(Conformance, WritesAllOfTheDeclaredShapesAndNothingElse) {
  const LayerOutput got = run(kernels::double_kernels());
  expect_all_assigned(got.dst, "dst");
  expect_all_assigned(got.diff_src, "diff_src");
  expect_all_assigned(got.diff_parameters, "diff_parameters");
  expect_all_assigned(got.batch_statistics, "batch_statistics");
  EXPECT_TRUE(got.guards_untouched);
}

// C = Σ dst·r, so that ∂C/∂dst = r. With h = 1e-5 the truncation h²·C‴/6 is below 1e-7 for C‴ ≤ 6e3 and the
// rounding u·C/h below 1e-8 for C ≤ 1e3; gradients are of order 1. The spacing of the numbers is above 2h, so
// no kink is crossed.
TEST_P(Conformance, GradientsOfParametersAndInputAreTheNumericOnes) {
  constexpr double kStep = 1e-5;
  constexpr double kTolerance = 1e-6;
  const auto cost = [&] {
    const LayerOutput got = run(kernels::double_kernels());
    double sum = 0;
    for (std::size_t i = 0; i < got.dst.size(); ++i) sum += got.dst[i] * given.diff_dst[i];
    return sum;
  };
  const LayerOutput analytic = run(kernels::double_kernels());
  const auto check = [&](Numbers& values, const Numbers& diffs, const std::string& what) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double start = values[i];
      values[i] = start + kStep;
      const double above = cost();
      values[i] = start - kStep;
      const double below = cost();
      values[i] = start;
      ASSERT_NEAR(diffs[i], (above - below) / (2 * kStep), kTolerance * std::max(1., std::abs(diffs[i])))
          << what << ' ' << i;
    }
  };
  check(given.parameters, analytic.diff_parameters, "parameter");
  check(given.src, analytic.diff_src, "input");
}

TEST_P(Conformance, AnyNumberOfThreadsGivesTheSameBits) {
  for (const kernels::Isa isa : kernels::supported_isas()) {
    const LayerOutput one = run(kernels::float_kernels(isa));
    for (const int threads : {2, 3})
      EXPECT_EQ(run(kernels::float_kernels(isa), threads), one) << threads << " threads";
  }
}

TEST_P(Conformance, BackwardAssignsAndNeverAdds) {
  const LayerOutput once = run(kernels::double_kernels());
  EXPECT_EQ(run(kernels::double_kernels(), 1, Backward::kTwice), once);
}

// A workspace reuses the memory of buffers that backward does not read.
TEST_P(Conformance, BackwardReadsNoMoreThanItsTraitsSay) {
  const LayerOutput once = run(kernels::double_kernels());
  LayerOutput got = run(kernels::double_kernels(), 2, Backward::kOnWhatItReads);
  if (!layer->traits().backward_reads_dst) got.dst = once.dst;  // NaN set by the test
  EXPECT_EQ(got, once);
}

// γ = k·u for sums of at most k terms: a window and its channels, or a micro-batch's elements of a channel;
// plus 64 for a normalisation or an elementary function. Here batch normalisation divides by a deviation of
// at least 0.1.
TEST_P(Conformance, FloatOnEveryInstructionSetIsCloseToDouble) {
  const double terms = 10 * static_cast<double>(given.src.size() + 64);
  const LayerOutput exact = run(kernels::double_kernels());
  for (const kernels::Isa isa : kernels::supported_isas()) {
    const LayerOutput got = run(kernels::float_kernels(isa));
    const auto check = [&](const Numbers& rough, const Numbers& fine, const std::string& what) {
      double largest = 1;
      for (const double value : fine) largest = std::max(largest, std::abs(value));
      for (std::size_t i = 0; i < fine.size(); ++i)
        ASSERT_NEAR(rough[i], fine[i], terms * 0x1p-24 * largest)
            << what << ' ' << i << ' ' << to_string(isa);
    };
    check(got.dst, exact.dst, "dst");
    check(got.diff_src, exact.diff_src, "diff_src");
    check(got.diff_parameters, exact.diff_parameters, "diff_parameters");
    check(got.batch_statistics, exact.batch_statistics, "batch_statistics");
  }
}

}  // namespace
}  // namespace convoy::nn
