#include <cstring>

#include "unit/kernels/conv_case.hpp"

namespace convoy::kernels {
namespace {

using reference::Convolution;

class GroupedConv2d : public Kernels {};
CONVOY_FOR_ALL_KERNEL_SETS(GroupedConv2d);

/// Groups whose convolutions are too small for minimal filtering, which the reference of groups lacks.
std::vector<Convolution> grouped_shapes() {
  return {
      {.ic = 4, .ih = 5, .iw = 9, .oc = 6, .kh = 3, .kw = 3, .ph = 1, .pw = 1, .groups = 2},
      {.ic = 6, .ih = 7, .iw = 5, .oc = 3, .kh = 2, .kw = 3, .sh = 2, .sw = 1, .pw = 1, .groups = 3},
      {.ic = 32, .ih = 3, .iw = 4, .oc = 64, .kh = 1, .kw = 1, .groups = 4},  // matrix products
      {.ic = 5, .ih = 6, .iw = 6, .oc = 10, .kh = 3, .kw = 3, .ph = 1, .pw = 1, .groups = 5},  // multiplier 2
      {.ic = 10, .ih = 6, .iw = 6, .oc = 5, .kh = 3, .kw = 3, .ph = 1, .pw = 1, .groups = 5},
      // Depthwise: every tile of points, kernels with tiles of their own and without, strides, borders.
      {.ic = 3, .ih = 5, .iw = 23, .oc = 3, .kh = 3, .kw = 3, .ph = 1, .pw = 1, .groups = 3},
      {.ic = 20,
       .ih = 7,
       .iw = 7,
       .oc = 20,
       .kh = 3,
       .kw = 3,
       .sh = 2,
       .sw = 2,
       .ph = 1,
       .pw = 1,
       .groups = 20},
      {.ic = 2, .ih = 11, .iw = 30, .oc = 2, .kh = 5, .kw = 5, .ph = 2, .pw = 2, .groups = 2},
      {.ic = 2,
       .ih = 11,
       .iw = 30,
       .oc = 2,
       .kh = 5,
       .kw = 5,
       .sh = 2,
       .sw = 2,
       .ph = 2,
       .pw = 2,
       .groups = 2},
      {.ic = 4, .ih = 9, .iw = 20, .oc = 4, .kh = 7, .kw = 7, .ph = 3, .pw = 3, .groups = 4},
      {.ic = 3, .ih = 8, .iw = 9, .oc = 3, .kh = 4, .kw = 6, .ph = 2, .pw = 1, .groups = 3},
      {.ic = 2, .ih = 25, .iw = 24, .oc = 2, .kh = 13, .kw = 12, .ph = 6, .pw = 6, .groups = 2},
      {.ic = 3,
       .ih = 10,
       .iw = 13,
       .oc = 3,
       .kh = 3,
       .kw = 3,
       .sh = 3,
       .sw = 3,
       .ph = 2,
       .pw = 2,
       .groups = 3},
      {.ic = 2, .ih = 4, .iw = 3, .oc = 2, .kh = 3, .kw = 3, .ph = 4, .pw = 5, .groups = 2},  // only padding
      {.ic = 3,
       .ih = 14,
       .iw = 17,
       .oc = 3,
       .kh = 3,
       .kw = 3,
       .ph = 2,
       .pw = 2,
       .dh = 2,
       .dw = 2,
       .groups = 3},
  };
}

TEST_P(GroupedConv2d, MatchesReference) {
  with_table([](const auto& table) {
    unsigned seed = 1;
    for (Convolution shape : grouped_shapes()) {
      for (const std::int64_t n : {1, 17, 40}) {
        shape.n = n;
        ++seed;
        const ConvCase c = make_conv_case(shape, seed % 3 != 0, seed);
        expect_conv_matches(c, run_conv(table, c, 1));
        if (HasFatalFailure()) return;
      }
    }
  });
}

TEST_P(GroupedConv2d, MatchesReferenceOnRandomDepthwiseShapes) {
  constexpr int kShapes = 400;
  with_table([](const auto& table) {
    Numbers numbers(28);
    for (unsigned i = 0; i < kShapes; ++i) {
      Convolution s;
      s.n = numbers.integer(1, 20);
      s.groups = s.ic = s.oc = numbers.integer(2, 6);
      s.kh = numbers.integer(1, 8);
      s.kw = numbers.integer(1, 8);
      s.dh = numbers.integer(0, 2) == 0 ? numbers.integer(1, 4) : 1;
      s.dw = numbers.integer(0, 2) == 0 ? numbers.integer(1, 4) : 1;
      s.ph = numbers.integer(0, 5);
      s.pw = numbers.integer(0, 5);
      s.ih = std::max(numbers.integer(1, 12), s.dh * (s.kh - 1) + 1 - 2 * s.ph);
      s.iw = std::max(numbers.integer(1, 30), s.dw * (s.kw - 1) + 1 - 2 * s.pw);
      s.sh = numbers.integer(1, 4);
      s.sw = numbers.integer(1, 3);
      const ConvCase c = make_conv_case(s, i % 2 == 0, i);
      expect_conv_matches(c, run_conv(table, c, 1));
      if (HasFatalFailure()) return;
    }
  });
}

TEST_P(GroupedConv2d, MatchesReferenceOnRandomDilatedShapes) {
  constexpr int kShapes = 600;
  with_table([](const auto& table) {
    Numbers numbers(29);
    for (unsigned i = 0; i < kShapes; ++i) {
      Convolution s;
      s.n = numbers.integer(1, 20);
      s.groups = numbers.integer(1, 3);
      s.ic = s.groups * numbers.integer(1, 20);
      s.oc = s.groups * numbers.integer(1, 20);
      s.kh = numbers.integer(1, 4);
      s.kw = numbers.integer(1, 4);
      s.dh = numbers.integer(1, 5);
      s.dw = numbers.integer(2, 5);
      s.ph = numbers.integer(0, 6);
      s.pw = numbers.integer(0, 6);
      s.ih = std::max(numbers.integer(1, 12), s.dh * (s.kh - 1) + 1 - 2 * s.ph);
      s.iw = std::max(numbers.integer(1, 16), s.dw * (s.kw - 1) + 1 - 2 * s.pw);
      s.sh = numbers.integer(1, 4);
      s.sw = numbers.integer(1, 4);
      const ConvCase c = make_conv_case(s, i % 2 == 0, i);
      expect_conv_matches(c, run_conv(table, c, 1));
      if (HasFatalFailure()) return;
    }
  });
}

/// The case of one group of c, of at most 16 samples.
ConvCase case_of_group(const ConvCase& c, std::int64_t group) {
  const Convolution& s = c.shape;
  ConvCase own{.shape = s, .with_bias = c.with_bias, .src = {}, .weights = {}, .bias = {}, .diff_dst = {}};
  own.shape.groups = 1;
  own.shape.ic = s.ic / s.groups;
  own.shape.oc = s.oc / s.groups;
  const auto append = [](const std::vector<double>& from, std::int64_t begin, std::int64_t size,
                         std::vector<double>& to) {
    to.insert(to.end(), from.begin() + begin, from.begin() + begin + size);
  };
  const std::int64_t src = own.shape.ic * s.ih * s.iw;
  const std::int64_t dst = own.shape.oc * s.oh() * s.ow();
  for (std::int64_t n = 0; n < s.n; ++n) {
    append(c.src, (n * s.groups + group) * src, src, own.src);
    append(c.diff_dst, (n * s.groups + group) * dst, dst, own.diff_dst);
  }
  append(c.weights, group * own.shape.weights_size(), own.shape.weights_size(), own.weights);
  if (c.with_bias) append(c.bias, group * own.shape.oc, own.shape.oc, own.bias);
  return own;
}

template <class Real>
void expect_part(const std::vector<Real>& whole, const std::vector<Real>& part, std::int64_t group,
                 const std::string& what) {
  ASSERT_LE((static_cast<std::size_t>(group) + 1) * part.size(), whole.size()) << what;
  EXPECT_EQ(std::memcmp(whole.data() + static_cast<std::size_t>(group) * part.size(), part.data(),
                        part.size() * sizeof(Real)),
            0)
      << what << ", group " << group;
}

// Also for groups that minimal filtering, matrix products or packed operands compute.
TEST_P(GroupedConv2d, HasTheBitsOfAConvolutionOfEachGroup) {
  const std::vector<Convolution> shapes{
      {.n = 16, .ic = 48, .ih = 8, .iw = 8, .oc = 96, .kh = 3, .kw = 3, .ph = 1, .pw = 1, .groups = 3},
      {.n = 9,
       .ic = 64,
       .ih = 4,
       .iw = 4,
       .oc = 64,
       .kh = 3,
       .kw = 3,
       .sh = 2,
       .sw = 2,
       .ph = 1,
       .pw = 1,
       .groups = 2},
      {.n = 16, .ic = 32, .ih = 12, .iw = 12, .oc = 32, .kh = 1, .kw = 1, .groups = 2},
      {.n = 5, .ic = 32, .ih = 9, .iw = 9, .oc = 32, .kh = 3, .kw = 3, .ph = 1, .pw = 1, .groups = 8}};
  with_table([&]<class Real>(const KernelTable<Real>& table) {
    for (const Convolution& shape : shapes) {
      for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
        const ConvCase c = make_conv_case(shape, true, 7);
        const ConvResults<Real> whole = run_conv(table, c, 2, precision);
        for (std::int64_t group = 0; group < shape.groups; ++group) {
          const ConvResults<Real> part = run_conv(table, case_of_group(c, group), 1, precision);
          expect_part(whole.dst, part.dst, group, "dst of " + describe(shape));
          expect_part(whole.diff_src, part.diff_src, group, "diff_src of " + describe(shape));
          expect_part(whole.diff_weights, part.diff_weights, group, "diff_weights of " + describe(shape));
          expect_part(whole.diff_bias, part.diff_bias, group, "diff_bias of " + describe(shape));
        }
      }
    }
  });
}

TEST_P(GroupedConv2d, GivesTheSameBitsForTeamsOfAnySize) {
  with_table([](const auto& table) {
    unsigned seed = 77;
    for (Convolution shape : grouped_shapes()) {
      shape.n = 17;
      const ConvCase c = make_conv_case(shape, true, ++seed);
      const auto one = run_conv(table, c, 1);
      for (const int threads : {2, 3, 7, 50}) {
        const auto more = run_conv(table, c, threads);
        EXPECT_TRUE(one.dst == more.dst && one.diff_src == more.diff_src &&
                    one.diff_weights == more.diff_weights && one.diff_bias == more.diff_bias)
            << describe(shape) << ", " << threads << " threads";
      }
    }
  });
}

// Two channels, each with a kernel 1x3 of its own, calculated by hand:
//   src (1 2 3), (4 5 6)   v (1 0 2), (0 1 −1), padding 1, dilation 1
//   dst 0: 1·0+2·2 = 4, 1+2·3 = 7, 2·1+0 = 2;   dst 1: 4−5 = −1, 5−6 = −1, 6
TEST_P(GroupedConv2d, MatchesTheCaseWorkedByHand) {
  with_table([](const auto& table) {
    ConvCase c;
    c.shape = {.n = 1, .ic = 2, .ih = 1, .iw = 3, .oc = 2, .kh = 1, .kw = 3, .pw = 1, .groups = 2};
    c.src = {1, 2, 3, 4, 5, 6};
    c.weights = {1, 0, 2, 0, 1, -1};
    c.bias = {0, 0};
    c.diff_dst = {1, 0, 0, 0, 0, 1};
    const auto got = run_conv(table, c, 1);
    EXPECT_EQ(test::from_lanes(got.dst.data(), 1, 6), (std::vector<double>{4, 7, 2, -1, -1, 6}));
    EXPECT_EQ(test::from_lanes(got.diff_src.data(), 1, 6), (std::vector<double>{0, 2, 0, 0, 0, 1}));
    EXPECT_EQ(to_double(got.diff_weights), (std::vector<double>{0, 1, 2, 5, 6, 0}));
    EXPECT_EQ(to_double(got.diff_bias), (std::vector<double>{1, 1}));
  });
}

}  // namespace
}  // namespace convoy::kernels
