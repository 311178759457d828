// The claim of the derivation: perceptron, convolution layer and textbook give equal numbers.

#include "convoy/check/derivation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "reference/activation.hpp"
#include "reference/derivation.hpp"
#include "reference/perceptron.hpp"

namespace convoy::check {
namespace {

using reference::Matrix;

Matrix matrix(const Image& p) {
  return {p.rows, p.columns, p.values};
}

void expect_same(const Image& got, const Matrix& want, double tolerance, const std::string& what) {
  ASSERT_EQ(got.rows, want.rows) << what;
  ASSERT_EQ(got.columns, want.columns) << what;
  for (std::size_t i = 0; i < want.values.size(); ++i)
    ASSERT_NEAR(got.values[i], want.values[i], tolerance) << what << ' ' << i;
}

/// 20 sizes and kernels; a third are square, most kernels are asymmetric.
struct Case {
  std::uint64_t seed;
  std::pair<std::int64_t, std::int64_t> size;
  std::pair<std::int64_t, std::int64_t> kernel;
};

std::vector<Case> random_cases() {
  std::vector<Case> cases;
  for (std::int64_t n = 0; n < 20; ++n) {
    const std::pair<std::int64_t, std::int64_t> kernel{1 + n % 4, 1 + n * 3 % 5};
    cases.push_back(
        {static_cast<std::uint64_t>(n), {kernel.first + n % 3, kernel.second + n * 7 % 6}, kernel});
  }
  return cases;
}

Derivation derived(const Case& c, Below below) {
  const Example example = draw_example(c.seed, c.size, c.kernel);
  return derive(example.image, example.kernel, example.bias, example.target, below);
}

/// The textbook's results, in two ways: the derivation's convolutions and the perceptron's sums.
void expect_textbook(const Derivation& d, double tolerance, const std::vector<double>& slopes) {
  const Matrix a = matrix(d.a);
  const Matrix w = matrix(d.kernel);
  Matrix z = reference::convolve_valid(a, w);
  for (double& value : z.values) value += d.bias;
  Matrix delta = z;
  delta.values[static_cast<std::size_t>(d.target)] -= 1;
  Matrix below = reference::convolve_full(delta, reference::rot180(w));
  below.values = reference::hadamard(below.values, slopes);
  const Matrix gradient = reference::rot180(reference::correlate_valid(a, delta));
  for (const Passes* passes : {&d.perceptron, &d.convolution}) {
    const std::string which = passes == &d.perceptron ? "perceptron " : "convolution ";
    expect_same(passes->z, z, tolerance, which + "z");
    expect_same(passes->delta, delta, tolerance, which + "delta");
    expect_same(passes->delta_below, below, tolerance, which + "delta below");
    expect_same(passes->gradient, gradient, tolerance, which + "gradient");
  }
  expect_same(d.rotated_delta, below, tolerance, "rotated");
  expect_same(d.gradient, gradient, tolerance, "convolution with ROT180(a)");

  const auto& weights = d.perceptron.weights;
  const std::vector<double> biases(z.values.size(), d.bias);
  const std::vector<double> mlp_z =
      reference::perceptron_forward(weights, d.a.values, biases, z.values.size());
  const std::vector<double> mlp_delta =
      reference::hadamard(reference::perceptron_backward(weights, delta.values, d.a.values.size()), slopes);
  expect_same(d.perceptron.z, {z.rows, z.columns, mlp_z}, tolerance, "perceptron's sums z");
  expect_same(d.perceptron.delta_below, {a.rows, a.columns, mlp_delta}, tolerance, "perceptron's sums delta");
  const std::vector<double> mlp_gradient = reference::perceptron_gradient(d.a.values, delta.values);
  for (std::size_t i = 0; i < mlp_gradient.size(); ++i)
    ASSERT_NEAR(d.perceptron.weights_gradient[i], mlp_gradient[i], tolerance) << i;
}

TEST(Derive, GivesTheTextbooksIntegersExactlyIn20RandomCases) {
  for (const Case& c : random_cases()) {
    SCOPED_TRACE(c.seed);
    const Derivation d = derived(c, Below::kImage);
    EXPECT_EQ(equality_tolerance(d), 0);
    expect_textbook(d, 0, std::vector<double>(d.a.values.size(), 1));
  }
}

// Twice the tolerance: the textbook also rounds, and uses exp of the C library.
TEST(Derive, GivesTheTextbooksNumbersBehindASigmoidIn20RandomCases) {
  for (const Case& c : random_cases()) {
    SCOPED_TRACE(c.seed);
    const Derivation d = derived(c, Below::kSigmoid);
    std::vector<double> slopes;
    for (std::size_t i = 0; i < d.below.values.size(); ++i) {
      EXPECT_NEAR(d.a.values[i], reference::sigmoid(d.below.values[i]), 0x1p-50);
      slopes.push_back(reference::sigmoid_derivative(d.below.values[i]));
    }
    EXPECT_GT(equality_tolerance(d), 0);
    expect_textbook(d, 2 * equality_tolerance(d), slopes);
  }
}

TEST(Derive, WithoutTheRotationDeltaIsWrongWhereverTheKernelIsAsymmetric) {
  int asymmetric = 0;
  for (const Case& c : random_cases()) {
    const Derivation d = derived(c, Below::kImage);
    const auto& delta = d.convolution.delta.values;
    const bool is_zero = std::all_of(delta.begin(), delta.end(), [](double value) { return value == 0; });
    if (is_zero || d.kernel.values == d.stored.values) continue;
    ++asymmetric;
    EXPECT_GT(largest_difference(d.unrotated_delta, d.convolution.delta_below), 0) << c.seed;
  }
  EXPECT_GE(asymmetric, 12);
}

// a = 1 2 / 3 4, w = 1 2: z(0,0) = w(0,1)·a(0,0) + w(0,0)·a(0,1) = 2 + 2 = 4, z(1,0) = 6 + 4 = 10; y = (1,
// 0). δ = (3, 10): δ_a = v ⊗ δ with v = 2 1. ∂C/∂w(0,0) = 3·2 + 10·4 = 46, ∂C/∂w(0,1) = 3·1 + 10·3 = 33.
TEST(Derive, GivesTheNumbersOfACaseWorkedByHand) {
  const Derivation d = derive({2, 2, {1, 2, 3, 4}}, {1, 2, {1, 2}}, 0, 0, Below::kImage);
  EXPECT_EQ(d.convolution.z.values, (std::vector<double>{4, 10}));
  EXPECT_EQ(d.convolution.delta.values, (std::vector<double>{3, 10}));
  EXPECT_EQ(d.convolution.delta_below.values, (std::vector<double>{6, 3, 20, 10}));
  EXPECT_EQ(d.convolution.gradient.values, (std::vector<double>{46, 33}));
  EXPECT_EQ(d.convolution.bias_gradient, 13);
  EXPECT_EQ(d.perceptron.weights, (std::vector<double>{2, 1, 0, 0, 0, 0, 2, 1}));
  EXPECT_EQ(d.perceptron.bias_gradient, 13);
  EXPECT_EQ(shared_weight(d, 0, 0), 1);
  EXPECT_EQ(shared_weight(d, 0, 2), -1);
}

TEST(DrawExample, IsAFunctionOfTheSeedInSmallIntegers) {
  const Example one = draw_example(4, {5, 3}, {2, 3});
  EXPECT_EQ(one.image.values, draw_example(4, {5, 3}, {2, 3}).image.values);
  EXPECT_NE(one.image.values, draw_example(5, {5, 3}, {2, 3}).image.values);
  for (const double value : one.image.values) {
    EXPECT_EQ(value, std::floor(value));
    EXPECT_LE(std::abs(value), 3);
  }
}

}  // namespace
}  // namespace convoy::check
