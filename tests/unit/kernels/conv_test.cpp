// The convolution kernels of every instruction set against the textbook.

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "unit/kernels/conv_case.hpp"

namespace convoy::kernels {
namespace {

using reference::Convolution;

class Conv2d : public Kernels {};
CONVOY_FOR_ALL_KERNEL_SETS(Conv2d);

/// Shapes by kind: each line is a case that is known to fail in some convolution code.
std::vector<Convolution> convolution_shapes() {
  return {
      {.ic = 1, .ih = 1, .iw = 1, .oc = 1},
      {.ic = 1, .ih = 12, .iw = 12, .oc = 6, .kh = 5, .kw = 5, .ph = 2, .pw = 2},  // first convolution
      {.ic = 3, .ih = 9, .iw = 9, .oc = 20, .kh = 3, .kw = 3, .ph = 1, .pw = 1},   // channel tails
      {.ic = 6, .ih = 10, .iw = 10, .oc = 16, .kh = 5, .kw = 5},
      {.ic = 20, .ih = 8, .iw = 8, .oc = 50, .kh = 3, .kw = 3},
      {.ic = 50, .ih = 4, .iw = 4, .oc = 3, .kh = 2, .kw = 2},  // even kernels
      {.ic = 5, .ih = 7, .iw = 7, .oc = 7, .kh = 4, .kw = 4, .ph = 2, .pw = 2},
      {.ic = 17, .ih = 6, .iw = 5, .oc = 33},                                     // 1x1
      {.ic = 4, .ih = 5, .iw = 13, .oc = 9, .kh = 3, .kw = 3, .ph = 1, .pw = 1},  // not square
      {.ic = 4, .ih = 13, .iw = 5, .oc = 9, .kh = 2, .kw = 5, .ph = 0, .pw = 2},
      {.ic = 3, .ih = 6, .iw = 11, .oc = 2, .kh = 5, .kw = 1, .ph = 2, .pw = 0},
      {.ic = 8, .ih = 9, .iw = 9, .oc = 12, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .ph = 1, .pw = 1},
      {.ic = 8, .ih = 8, .iw = 8, .oc = 12, .sh = 2, .sw = 2},  // pixels outside all windows
      {.ic = 3, .ih = 14, .iw = 13, .oc = 10, .kh = 5, .kw = 5, .sh = 3, .sw = 3, .ph = 2, .pw = 2},
      {.ic = 2, .ih = 11, .iw = 12, .oc = 5, .kh = 2, .kw = 2, .sh = 3, .sw = 3},  // stride > kernel
      {.ic = 3, .ih = 12, .iw = 10, .oc = 6, .kh = 3, .kw = 4, .sh = 1, .sw = 3, .ph = 1, .pw = 2},
      {.ic = 3, .ih = 10, .iw = 12, .oc = 6, .kh = 4, .kw = 3, .sh = 3, .sw = 2, .ph = 3, .pw = 1},
      {.ic = 4, .ih = 5, .iw = 5, .oc = 4, .kh = 3, .kw = 3, .ph = 2, .pw = 2},  // full padding
      {.ic = 2, .ih = 4, .iw = 3, .oc = 3, .kh = 3, .kw = 3, .ph = 4, .pw = 5},  // windows only on padding
      {.ic = 2, .ih = 4, .iw = 4, .oc = 3, .kh = 5, .kw = 5, .sh = 2, .sw = 2, .ph = 3, .pw = 4},
      {.ic = 6, .ih = 4, .iw = 3, .oc = 11, .kh = 4, .kw = 3},                   // kernel = image
      {.ic = 3, .ih = 4, .iw = 4, .oc = 5, .kh = 6, .kw = 6, .ph = 1, .pw = 1},  // the same with padding
      {.ic = 16, .ih = 1, .iw = 1, .oc = 10},                                    // dense
      {.ic = 84, .ih = 1, .iw = 1, .oc = 10},
      {.ic = 150, .ih = 1, .iw = 1, .oc = 37},
      {.ic = 16, .ih = 8, .iw = 8, .oc = 16, .kh = 3, .kw = 3, .ph = 1, .pw = 1},  // minimal filtering: tiles
                                                                                   // fit
      {.ic = 20, .ih = 12, .iw = 12, .oc = 40, .kh = 5, .kw = 5},
      {.ic = 33, .ih = 6, .iw = 9, .oc = 18, .kh = 3, .kw = 3, .ph = 2, .pw = 0},  // tiles across the border
      {.ic = 18, .ih = 9, .iw = 7, .oc = 35, .kh = 5, .kw = 5, .ph = 4, .pw = 1},
      {.ic = 130, .ih = 5, .iw = 4, .oc = 70, .kh = 3, .kw = 3, .ph = 1, .pw = 1},   // more than one chunk
      {.ic = 12, .ih = 21, .iw = 33, .oc = 24, .kh = 3, .kw = 3, .ph = 1, .pw = 1},  // more than one strip
      {.ic = 5, .ih = 1, .iw = 40, .oc = 4, .kh = 1, .kw = 7, .ph = 0, .pw = 3},     // long rows
      // Output channels with weights on different pages.
      {.ic = 128, .ih = 2, .iw = 2, .oc = 20, .kh = 3, .kw = 3, .ph = 1, .pw = 1},
      {.ic = 120, .ih = 5, .iw = 4, .oc = 17, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .ph = 1, .pw = 1},
      {.ic = 350, .ih = 2, .iw = 5, .oc = 16, .kh = 1, .kw = 3, .ph = 0, .pw = 1},
      // Narrow results: weights packed, channels innermost.
      {.ic = 19, .ih = 5, .iw = 6, .oc = 21, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .ph = 1, .pw = 1},
      {.ic = 35, .ih = 3, .iw = 2, .oc = 37, .kh = 5, .kw = 4, .ph = 2, .pw = 2},
      // More taps than pixels.
      {.ic = 33, .ih = 3, .iw = 3, .oc = 9, .kh = 7, .kw = 7, .ph = 3, .pw = 3},
      {.ic = 40, .ih = 4, .iw = 3, .oc = 5, .kh = 9, .kw = 9, .ph = 4, .pw = 4},
  };
}

/// Sample counts for a shape. A kernel works on blocks of 16 lanes: one block with idle lanes, and a full
/// block before one, cover all cases. More counts only if the reference is fast.
std::vector<std::int64_t> batches(const Convolution& shape) {
  constexpr std::int64_t kFewProducts = 200'000;  // per sample
  const std::int64_t products = shape.oc * shape.oh() * shape.ow() * shape.ic * shape.kh * shape.kw;
  if (products <= kFewProducts) return {1, 5, 16, 17, 32};
  return {5, 17};
}

TEST_P(Conv2d, MatchesReferenceOnEveryKindOfShapeAndBatch) {
  with_table([](const auto& table) {
    unsigned seed = 1;
    for (Convolution shape : convolution_shapes()) {
      for (const std::int64_t n : batches(shape)) {
        shape.n = n;
        const ConvCase c = make_conv_case(shape, seed % 3 != 0, seed);
        ++seed;
        expect_conv_matches(c, run_conv(table, c, 1));
        if (HasFatalFailure()) return;
      }
    }
  });
}

TEST_P(Conv2d, MatchesReferenceOnRandomShapes) {
  constexpr int kShapes = 2000;
  with_table([](const auto& table) {
    Numbers numbers(2016);
    for (unsigned i = 0; i < kShapes; ++i) {
      Convolution s;
      s.n = numbers.integer(1, 20);
      s.ic = numbers.integer(1, 9);
      s.oc = numbers.integer(1, 21);
      s.kh = numbers.integer(1, 5);
      s.kw = numbers.integer(1, 5);
      s.ph = numbers.integer(0, 4);
      s.pw = numbers.integer(0, 4);
      s.ih = std::max(numbers.integer(1, 9), s.kh - 2 * s.ph);
      s.iw = std::max(numbers.integer(1, 16), s.kw - 2 * s.pw);
      s.sh = numbers.integer(1, 4);
      s.sw = numbers.integer(1, 4);
      if (i % 8 == 0) {  // minimal filtering, if it pays
        s.kh = s.kw = numbers.integer(0, 1) == 0 ? 3 : 5;
        s.ph = numbers.integer(0, s.kh - 1);
        s.pw = numbers.integer(0, s.kw - 1);
        s.ih = std::max(s.ih, s.kh);
        s.iw = std::max(s.iw, s.kw);
        s.sh = s.sw = 1;
        s.ic = numbers.integer(4, 36);
        s.n = numbers.integer(1, 2);
      }
      const ConvCase c = make_conv_case(s, i % 2 == 0, i);
      expect_conv_matches(c, run_conv(table, c, 1));
      if (HasFatalFailure()) return;
    }
  });
}

/// An integer from 1 to `most`, small ones as often as large ones.
std::int64_t any_size(Numbers& numbers, int most_bits, std::int64_t most) {
  return std::min(most, numbers.integer(1, std::int64_t{1} << numbers.integer(0, most_bits)));
}

/// Up to 224 pixels a side and 2,048 channels, as far as the reference takes no longer than `products`.
Convolution large_shape(Numbers& numbers, std::int64_t products) {
  while (true) {
    Convolution s;
    s.n = numbers.integer(0, 3) == 0 ? numbers.integer(1, 36) : 1;
    s.ic = any_size(numbers, 11, 2048);
    s.oc = any_size(numbers, 11, 2048);
    s.kh = s.kw = 2 * numbers.integer(0, 3) + 1;
    s.ph = s.pw = numbers.integer(0, s.kh / 2);
    s.ih = std::max(any_size(numbers, 8, 224), s.kh - 2 * s.ph);
    s.iw = std::max(any_size(numbers, 8, 224), s.kw - 2 * s.pw);
    s.sh = s.sw = numbers.integer(1, 2);
    const std::int64_t all = s.n * s.oc * s.ic * s.kh * s.kw * s.oh() * s.ow();
    if (s.oh() * s.ow() >= 64 && s.oc >= 4 && all <= products && all > products / 50) return s;
  }
}

TEST_P(Conv2d, MatchesReferenceOnLargeShapes) {
  constexpr int kShapes = 30;
  with_table([]<class Real>(const KernelTable<Real>& table) {
    Numbers numbers(224);
    for (unsigned i = 0; i < kShapes; ++i) {
      const ConvCase c = make_conv_case(large_shape(numbers, 4'000'000), i % 2 == 0, i);
      for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
        if (precision == Precision::kBfloat16 && (i % 4 != 0 || std::is_same_v<Real, double>)) continue;
        const auto one = run_conv(table, c, 1, precision);
        expect_conv_matches(c, one, precision);
        if (HasFatalFailure()) return;
        const auto five = run_conv(table, c, 5, precision);
        EXPECT_TRUE(one.dst == five.dst && one.diff_src == five.diff_src &&
                    one.diff_weights == five.diff_weights)
            << describe(c.shape);
      }
    }
  });
}

TEST_P(Conv2d, GivesTheSameBitsForTeamsOfAnySize) {
  with_table([](const auto& table) {
    unsigned seed = 77;
    for (Convolution shape : convolution_shapes()) {
      shape.n = 17;
      const ConvCase c = make_conv_case(shape, true, ++seed);
      const auto one = run_conv(table, c, 1);
      for (const int threads : {2, 3, 7}) {
        const auto more = run_conv(table, c, threads);
        const auto same = [](const auto& a, const auto& b) {
          return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(a[0])) == 0;
        };
        EXPECT_TRUE(same(one.dst, more.dst)) << describe(shape) << ", " << threads << " threads";
        EXPECT_TRUE(same(one.diff_src, more.diff_src)) << describe(shape) << ", " << threads << " threads";
        EXPECT_TRUE(same(one.diff_weights, more.diff_weights))
            << describe(shape) << ", " << threads << " threads";
        EXPECT_TRUE(same(one.diff_bias, more.diff_bias)) << describe(shape) << ", " << threads << " threads";
      }
    }
  });
}

TEST(Conv2dPlanner, TakesNoNoticeOfThePrecisionInDouble) {
  const Planner& planner = double_kernels().planner;
  for (const Convolution& shape : convolution_shapes()) {
    const Conv2dShape exact = to_shape(shape);
    const Conv2dShape rounded = to_shape(shape, Precision::kBfloat16);
    EXPECT_EQ(planner.conv2d_scratch_size(rounded, 3), planner.conv2d_scratch_size(exact, 3));
    EXPECT_EQ(planner.conv2d_algorithms(rounded).backward_weights,
              planner.conv2d_algorithms(exact).backward_weights);
  }
}

// Threads split tiles or channels, so the scratch per thread falls: a large team needs little more than a
// small one.
TEST(Conv2dScratch, GrowsWithTheTeamByWhatThreadsCannotShare) {
  const Conv2dShape shape{
      .ic = 128, .ih = 56, .iw = 56, .oc = 128, .oh = 56, .ow = 56, .kh = 3, .kw = 3, .ph = 1, .pw = 1};
  for (const Isa isa : supported_isas()) {
    const Planner& planner = float_kernels(isa).planner;
    const std::int64_t alone = planner.conv2d_scratch_size(shape, 1);
    EXPECT_LT(planner.conv2d_scratch_size(shape, 8), 2 * alone);
    EXPECT_LT(planner.conv2d_scratch_size(shape, 64), 8 * alone);
  }
}

TEST_P(Conv2d, GivesASampleTheSameBitsInEveryLane) {
  with_table([](const auto& table) {
    using Real = std::remove_cvref_t<decltype(*run_conv(table, ConvCase{}, 1).dst.data())>;
    const Convolution shape = {
        .n = 32, .ic = 6, .ih = 7, .iw = 9, .oc = 10, .kh = 3, .kw = 3, .ph = 1, .pw = 1};
    ConvCase c = make_conv_case(shape, true, 5);
    const auto repeat = [&](std::vector<double>& values) {
      const std::size_t size = values.size() / 32;
      for (std::size_t i = size; i < values.size(); ++i) values[i] = values[i - size];
    };
    repeat(c.src);
    repeat(c.diff_dst);
    const auto got = run_conv(table, c, 1);
    const auto expect_equal_lanes = [](const std::vector<Real>& lanes) {
      const std::size_t block = lanes.size() / 2;
      for (std::size_t i = 0; i < lanes.size(); ++i) ASSERT_EQ(lanes[i], lanes[i % block / kLanes * kLanes]);
    };
    expect_equal_lanes(got.dst);
    expect_equal_lanes(got.diff_src);
  });
}

TEST_P(Conv2d, LeavesIdleLanesOfDiffSrcZero) {
  with_table([](const auto& table) {
    const Convolution shape = {
        .n = 5, .ic = 3, .ih = 6, .iw = 6, .oc = 4, .kh = 3, .kw = 3, .ph = 1, .pw = 1};
    const auto got = run_conv(table, make_conv_case(shape, true, 9), 1);
    for (std::size_t i = 0; i < got.diff_src.size(); ++i) {
      if (i % kLanes >= 5) {
        ASSERT_EQ(got.diff_src[i], 0);
      }
    }
  });
}

// A 3x3 image and a 2x2 kernel, calculated by hand:
//   src  1 2 3    v  1 2    dst = b + Σ src·v, e.g. the first: 10 + 1·1 + 2·2 + 4·3 + 5·4 = 47
//        4 5 6       3 4    diff_dst  1 0    diff_src  1 2 0      diff_v (0,0): 1·1 + 2·5 = 11
//        7 8 9                        0 2              3 6 4                (0,1): 1·2 + 2·6 = 14, …
//                                                      0 6 8      diff_b: 1 + 2 = 3
TEST_P(Conv2d, MatchesTheCaseWorkedByHand) {
  with_table([](const auto& table) {
    ConvCase c;
    c.shape = {.n = 1, .ic = 1, .ih = 3, .iw = 3, .oc = 1, .kh = 2, .kw = 2};
    c.src = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    c.weights = {1, 2, 3, 4};
    c.bias = {10};
    c.diff_dst = {1, 0, 0, 2};
    const auto got = run_conv(table, c, 1);
    EXPECT_EQ(test::from_lanes(got.dst.data(), 1, 4), (std::vector<double>{47, 57, 77, 87}));
    EXPECT_EQ(test::from_lanes(got.diff_src.data(), 1, 9), (std::vector<double>{1, 2, 0, 3, 6, 4, 0, 6, 8}));
    EXPECT_EQ(to_double(got.diff_weights), (std::vector<double>{11, 14, 20, 23}));
    EXPECT_EQ(to_double(got.diff_bias), (std::vector<double>{3}));
  });
}

}  // namespace
}  // namespace convoy::kernels
