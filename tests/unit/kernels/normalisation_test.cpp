// Batch normalisation and softmax kernels against the textbook.

#include <algorithm>
#include <cstring>
#include <tuple>

#include "reference/activation.hpp"
#include "reference/batchnorm.hpp"
#include "support/guarded.hpp"
#include "support/lanes.hpp"
#include "support/teams.hpp"
#include "unit/kernels/kernel_sets.hpp"

namespace convoy::kernels {
namespace {

using reference::BatchNorm;
using test::IdleLanes;

class BatchNormKernels : public Kernels {};
CONVOY_FOR_ALL_KERNEL_SETS(BatchNormKernels);
class Softmax : public Kernels {};
CONVOY_FOR_ALL_KERNEL_SETS(Softmax);

struct BatchNormCase {
  BatchNorm shape;
  std::vector<double> src, diff_dst, weight, bias;
};

BatchNormCase make_case(const BatchNorm& shape, unsigned seed) {
  Numbers numbers(seed);
  const std::int64_t size = shape.n * shape.c * shape.spatial;
  return {shape, numbers.uniform(size, 1, 4), numbers.uniform(size), numbers.uniform(shape.c, 0.5, 2),
          numbers.uniform(shape.c)};
}

template <class Real>
struct BatchNormResults {
  std::vector<Real> dst, mean, variance, inference, diff_src, diff_weight, diff_bias;
};

template <class Real>
BatchNormResults<Real> run_batchnorm(const KernelTable<Real>& table, const BatchNormCase& c, int threads) {
  const BatchNorm& r = c.shape;
  const BatchNormShape shape = {
      .blocks = lane_blocks(r.n), .samples = r.n, .c = r.c, .spatial = r.spatial, .epsilon = r.epsilon};
  const auto src = test::to_lanes<Real>(c.src, r.n, r.c * r.spatial, IdleLanes::kFirstSample);
  auto diff_dst = test::to_lanes<Real>(c.diff_dst, r.n, r.c * r.spatial, IdleLanes::kZero);
  const auto weight = to_real<Real>(c.weight);
  const auto bias = to_real<Real>(c.bias);
  test::Guarded<Real> dst(src.size()), inference(src.size()), diff_src(src.size());
  test::Guarded<Real> mean(r.c), variance(r.c), diff_weight(r.c), diff_bias(r.c);
  test::run_team(threads, [&](const Team& team) {
    table.batchnorm_forward(shape, src.data(), weight.data(), bias.data(), {}, dst.data(), mean.data(),
                            variance.data(), team);
    table.batchnorm_inference(shape, src.data(), weight.data(), bias.data(), mean.data(), variance.data(), {},
                              inference.data(), team);
    table.batchnorm_backward(shape, src.data(), {}, dst.data(), diff_dst.data(), weight.data(), mean.data(),
                             variance.data(), diff_src.data(), diff_weight.data(), diff_bias.data(), team);
  });
  EXPECT_TRUE(dst.guards_untouched() && inference.guards_untouched() && diff_src.guards_untouched());
  EXPECT_TRUE(mean.guards_untouched() && variance.guards_untouched());
  EXPECT_TRUE(diff_weight.guards_untouched() && diff_bias.guards_untouched());
  return {dst.values(),      mean.values(),        variance.values(), inference.values(),
          diff_src.values(), diff_weight.values(), diff_bias.values()};
}

std::vector<BatchNorm> normalisation_shapes() {
  return {{.n = 16, .c = 3, .spatial = 49},  {.n = 5, .c = 4, .spatial = 9},
          {.n = 1, .c = 2, .spatial = 200},  {.n = 17, .c = 5, .spatial = 1},
          {.n = 32, .c = 2, .spatial = 130}, {.n = 2, .c = 1, .spatial = 3}};
}

template <class Real>
std::vector<double> to_double(const std::vector<Real>& values) {
  return std::vector<double>(values.begin(), values.end());
}

TEST_P(BatchNormKernels, MatchesReferenceWithIdleLanes) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    // Roundings of a channel's sum: 64 pixels and a square in Real, then double; a few more for root,
    // product, quotient. |x̂| ≤ √m, and the numbers are in [1, 4] with a variance near 0.75, so cancellation
    // in a difference loses at most a factor 8 of an operand.
    constexpr std::int64_t kRoundings = 8 * (64 + 16);
    unsigned seed = 1;
    for (const BatchNorm& shape : normalisation_shapes()) {
      const BatchNormCase c = make_case(shape, ++seed);
      const auto got = run_batchnorm(table, c, 1);
      const auto want = reference::batchnorm_forward(shape, c.src, c.weight, c.bias);
      const auto back = reference::batchnorm_backward(shape, c.src, c.diff_dst, c.weight);
      const std::int64_t size = shape.c * shape.spatial;
      const double m = static_cast<double>(shape.n * shape.spatial);
      const auto bounds = [](std::size_t count, double bound) { return std::vector<double>(count, bound); };
      const double unit = 4 / std::sqrt(*std::min_element(want.variance.begin(), want.variance.end()));
      expect_within<Real>(to_double(got.mean), want.mean, want.mean, kRoundings, "mean");
      expect_within<Real>(to_double(got.variance), want.variance, bounds(want.variance.size(), 4), kRoundings,
                          "variance");
      expect_within<Real>(test::from_lanes(got.dst.data(), shape.n, size), want.dst,
                          bounds(want.dst.size(), 2 * unit * unit), kRoundings, "dst");
      EXPECT_EQ(got.dst, got.inference);
      expect_within<Real>(to_double(got.diff_bias), back.diff_bias, bounds(back.diff_bias.size(), m),
                          kRoundings, "diff_bias");
      expect_within<Real>(to_double(got.diff_weight), back.diff_weight,
                          bounds(back.diff_weight.size(), m * unit), kRoundings, "diff_weight");
      expect_within<Real>(test::from_lanes(got.diff_src.data(), shape.n, size), back.diff_src,
                          bounds(back.diff_src.size(), 2 * unit * unit * unit), kRoundings, "diff_src");
      for (std::size_t i = 0; i < got.diff_src.size(); ++i) {
        const auto sample =
            static_cast<std::int64_t>(i) / (size * kLanes) * kLanes + static_cast<std::int64_t>(i) % kLanes;
        if (sample >= shape.n) {
          ASSERT_EQ(got.diff_src[i], 0);
        }
      }
    }
  });
}

// One channel, samples 1 and 3: mean 2, variance 1; with ε = 0 x̂ = −1, +1.
// weight 2, bias 5: dst 3, 7. diff 1, 0: diff_weight = −1, diff_bias = 1,
// diff_src = 2·(1 − ½ − ½, 0 − ½ + ½) = 0.
TEST_P(BatchNormKernels, MatchesTheCaseWorkedByHand) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    const BatchNormCase c = {{.n = 2, .c = 1, .spatial = 1, .epsilon = 0}, {1, 3}, {1, 0}, {2}, {5}};
    const auto got = run_batchnorm(table, c, 1);
    EXPECT_EQ(to_double(got.mean), (std::vector<double>{2}));
    EXPECT_EQ(to_double(got.variance), (std::vector<double>{1}));
    EXPECT_EQ(test::from_lanes(got.dst.data(), 2, 1), (std::vector<double>{3, 7}));
    EXPECT_EQ(to_double(got.diff_weight), (std::vector<double>{-1}));
    EXPECT_EQ(to_double(got.diff_bias), (std::vector<double>{1}));
    EXPECT_EQ(test::from_lanes(got.diff_src.data(), 2, 1), (std::vector<double>{0, 0}));
  });
}

TEST_P(BatchNormKernels, GivesTheSameBitsForTeamsOfOneTwoAndThree) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    for (const BatchNorm& shape : normalisation_shapes()) {
      const BatchNormCase c = make_case(shape, 3);
      const auto one = run_batchnorm(table, c, 1);
      for (const int threads : {2, 3}) {
        const auto more = run_batchnorm(table, c, threads);
        const auto all = [](const auto& r) {
          return std::tie(r.dst, r.mean, r.variance, r.diff_src, r.diff_weight, r.diff_bias);
        };
        EXPECT_EQ(all(one), all(more));
      }
    }
  });
}

TEST_P(Softmax, MatchesReferenceAndItsBackwardTheJacobian) {
  constexpr std::int64_t kSamples = 19;
  with_table([]<class Real>(const KernelTable<Real>& table) {
    for (const std::int64_t classes : {1, 2, 10, 37}) {
      Numbers numbers(static_cast<unsigned>(classes));
      const auto z = numbers.uniform(kSamples * classes, -30, 30);
      const auto diff = numbers.uniform(kSamples * classes);
      const auto src = test::to_lanes<Real>(z, kSamples, classes, IdleLanes::kFirstSample);
      const auto diff_dst = test::to_lanes<Real>(diff, kSamples, classes, IdleLanes::kZero);
      test::Guarded<Real> dst(src.size()), diff_src(src.size());
      test::run_team(2, [&](const Team& team) {
        table.softmax_forward(lane_blocks(kSamples), classes, src.data(), dst.data(), team);
        table.softmax_backward(lane_blocks(kSamples), classes, dst.data(), diff_dst.data(), diff_src.data(),
                               team);
      });
      EXPECT_TRUE(dst.guards_untouched() && diff_src.guards_untouched());
      const auto got = test::from_lanes(dst.data(), kSamples, classes);
      const auto got_diff = test::from_lanes(diff_src.data(), kSamples, classes);
      for (std::int64_t n = 0; n < kSamples; ++n) {
        const auto row = [&](const std::vector<double>& all) {
          return std::vector<double>(all.begin() + n * classes, all.begin() + (n + 1) * classes);
        };
        const auto p = reference::softmax(row(z));
        // The rounding of z − max (at most 60) is an absolute error of the exponent: 60 units. The
        // exponential adds 4, the sum one unit per class; all twice.
        const std::int64_t roundings = 2 * (60 + 4 + classes) + 1;
        expect_within<Real>(row(got), p, p, roundings, "p");
        // |p·(d − Σ d·p)| ≤ 2p with |d| ≤ 1.
        std::vector<double> bound = p;
        for (double& x : bound) x *= 2;
        expect_within<Real>(row(got_diff), reference::softmax_backward(p, row(diff)), bound,
                            2 * roundings + classes + 2, "diff_src");
      }
    }
  });
}

TEST_P(Softmax, SaysNaNForASampleThatHoldsOneAndLeavesTheOthersAlone) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    std::vector<double> z = {1, 2, 3, 1, std::numeric_limits<double>::quiet_NaN(), 3};
    const auto src = test::to_lanes<Real>(z, 2, 3, IdleLanes::kFirstSample);
    test::Guarded<Real> dst(src.size());
    table.softmax_forward(1, 3, src.data(), dst.data(), Team());
    const auto got = test::from_lanes(dst.data(), 2, 3);
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_FALSE(std::isnan(got[k]));
      EXPECT_TRUE(std::isnan(got[3 + k]));
    }
  });
}

}  // namespace
}  // namespace convoy::kernels
