// Convolutions with operands in bfloat16: close to the textbook, and equal bits with and without the bfloat16
// instruction.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "unit/kernels/conv_case.hpp"

namespace convoy::kernels {
namespace {

using reference::Convolution;

/// Direct with even and odd channel counts, strided, minimal filtering, one output, dense.
std::vector<Convolution> bfloat16_shapes() {
  return {{.ic = 3, .ih = 9, .iw = 7, .oc = 10, .kh = 3, .kw = 2, .sh = 2, .sw = 1, .ph = 1, .pw = 1},
          {.ic = 1, .ih = 12, .iw = 12, .oc = 6, .kh = 5, .kw = 5, .ph = 2, .pw = 2},
          {.ic = 17, .ih = 6, .iw = 5, .oc = 33},
          {.ic = 16, .ih = 9, .iw = 10, .oc = 18, .kh = 3, .kw = 3, .ph = 1, .pw = 1},
          {.ic = 33, .ih = 6, .iw = 9, .oc = 19, .kh = 3, .kw = 3, .ph = 2, .pw = 0},
          {.ic = 24, .ih = 7, .iw = 8, .oc = 21, .kh = 5, .kw = 5, .ph = 2, .pw = 2},
          {.ic = 130, .ih = 5, .iw = 4, .oc = 70, .kh = 3, .kw = 3, .ph = 1, .pw = 1},
          {.ic = 128, .ih = 2, .iw = 2, .oc = 21, .kh = 3, .kw = 3, .ph = 1, .pw = 1},
          {.ic = 6, .ih = 4, .iw = 3, .oc = 11, .kh = 4, .kw = 3},
          {.ic = 150, .ih = 1, .iw = 1, .oc = 37}};
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

class Bfloat16 : public testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(All, Bfloat16, testing::ValuesIn(supported_isas()),
                         [](const auto& isa_info) { return std::string(to_string(isa_info.param)); });

TEST_P(Bfloat16, ConvolutionsStayWithinTheRoundingOfTheirFactors) {
  unsigned seed = 40;
  for (Convolution shape : bfloat16_shapes()) {
    for (const std::int64_t n : {5, 17}) {
      shape.n = n;
      const ConvCase c = make_conv_case(shape, seed % 2 == 0, seed);
      ++seed;
      expect_conv_matches(c, run_conv(float_kernels(GetParam()), c, 1, Precision::kBfloat16),
                          Precision::kBfloat16);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(Bfloat16, TeamsOfOneAndThreeGiveTheSameBits) {
  for (Convolution shape : bfloat16_shapes()) {
    shape.n = 17;
    const ConvCase c = make_conv_case(shape, true, 7);
    const auto one = run_conv(float_kernels(GetParam()), c, 1, Precision::kBfloat16);
    const auto three = run_conv(float_kernels(GetParam()), c, 3, Precision::kBfloat16);
    EXPECT_TRUE(same_bits(one.dst, three.dst)) << describe(shape);
    EXPECT_TRUE(same_bits(one.diff_src, three.diff_src)) << describe(shape);
    EXPECT_TRUE(same_bits(one.diff_weights, three.diff_weights)) << describe(shape);
  }
}

// The operands are exact in bfloat16 and the sums in float, so the result must be exact.
TEST_P(Bfloat16, ADirectConvolutionOfSmallIntegersIsExact) {
  Convolution shape{
      .n = 16, .ic = 5, .ih = 6, .iw = 6, .oc = 4, .kh = 2, .kw = 3, .sh = 2, .sw = 1, .ph = 1, .pw = 1};
  ConvCase c = make_conv_case(shape, true, 3);
  for (std::vector<double>* values : {&c.src, &c.weights, &c.bias, &c.diff_dst})
    for (double& value : *values) value = std::round(8 * value);
  const auto exact = run_conv(float_kernels(GetParam()), c, 1, Precision::kFloat32);
  const auto rounded = run_conv(float_kernels(GetParam()), c, 1, Precision::kBfloat16);
  EXPECT_EQ(rounded.dst, exact.dst);
  EXPECT_EQ(rounded.diff_src, exact.diff_src);
  EXPECT_EQ(rounded.diff_weights, exact.diff_weights);
}

TEST_P(Bfloat16, KeepsInfinitiesAndNotANumber) {
  const Convolution shape{.n = 3, .ic = 1, .ih = 1, .iw = 1, .oc = 1};
  ConvCase c = make_conv_case(shape, false, 3);
  c.weights = {1};
  c.src = {INFINITY, NAN, 3.3e38};
  const std::vector<double> dst = test::from_lanes(
      run_conv(float_kernels(GetParam()), c, 1, Precision::kBfloat16).dst.data(), shape.n, 1);
  EXPECT_EQ(dst[0], INFINITY);
  EXPECT_TRUE(std::isnan(dst[1]));
  EXPECT_NEAR(dst[2], 3.3e38, 3.3e38 / 256);
}

TEST(Bfloat16Sets, TheInstructionAndItsEmulationGiveTheSameBits) {
  const std::vector<Isa> isas = supported_isas();
  if (std::ranges::find(isas, Isa::kAvx512Bf16) == isas.end())
    GTEST_SKIP() << "this machine has no AVX512-BF16";
  unsigned seed = 90;
  for (Convolution shape : bfloat16_shapes()) {
    for (const std::int64_t n : {5, 17}) {
      shape.n = n;
      const ConvCase c = make_conv_case(shape, true, ++seed);
      const auto emulated = run_conv(float_kernels(Isa::kAvx512), c, 1, Precision::kBfloat16);
      const auto instruction = run_conv(float_kernels(Isa::kAvx512Bf16), c, 1, Precision::kBfloat16);
      EXPECT_TRUE(same_bits(emulated.dst, instruction.dst)) << describe(shape);
      EXPECT_TRUE(same_bits(emulated.diff_src, instruction.diff_src)) << describe(shape);
      EXPECT_TRUE(same_bits(emulated.diff_weights, instruction.diff_weights)) << describe(shape);
    }
  }
}

}  // namespace
}  // namespace convoy::kernels
