// Pooling kernels against the textbook.

#include <algorithm>
#include <cstring>

#include "reference/pooling.hpp"
#include "support/guarded.hpp"
#include "support/lanes.hpp"
#include "support/teams.hpp"
#include "unit/kernels/kernel_sets.hpp"

namespace convoy::kernels {
namespace {

using reference::Pooling;
using test::IdleLanes;

class Pool2d : public Kernels {};
CONVOY_FOR_ALL_KERNEL_SETS(Pool2d);

std::vector<Pooling> pooling_shapes() {
  return {
      {.ih = 6, .iw = 6},
      {.ih = 7, .iw = 5},                                      // a remainder outside all windows
      {.ih = 7, .iw = 9, .kh = 3, .kw = 3, .sh = 2, .sw = 2},  // overlap
      {.ih = 6, .iw = 6, .kh = 3, .kw = 3, .sh = 1, .sw = 1, .ph = 1, .pw = 1},
      {.ih = 5, .iw = 8, .kh = 2, .kw = 3, .sh = 3, .sw = 2, .ph = 1, .pw = 0},
      {.ih = 4, .iw = 3, .kh = 4, .kw = 3, .sh = 4, .sw = 3},  // globalavgpool
      {.ih = 1, .iw = 1, .kh = 1, .kw = 1, .sh = 1, .sw = 1},
      {.ih = 5, .iw = 5, .kh = 4, .kw = 4, .sh = 3, .sw = 3, .ph = 2, .pw = 2},
  };
}

constexpr std::int64_t kSamples = 19;
constexpr std::int64_t kChannels = 3;

Pool2dShape to_shape(const Pooling& p) {
  return {.blocks = lane_blocks(kSamples),
          .c = kChannels,
          .ih = p.ih,
          .iw = p.iw,
          .oh = p.oh(),
          .ow = p.ow(),
          .kh = p.kh,
          .kw = p.kw,
          .sh = p.sh,
          .sw = p.sw,
          .ph = p.ph,
          .pw = p.pw};
}

template <class Real>
struct PoolResults {
  std::vector<Real> max, max_diff, average, average_diff;
  std::vector<std::int32_t> which;
};

template <class Real>
PoolResults<Real> run_pool(const KernelTable<Real>& table, const Pooling& p, const std::vector<double>& src,
                           const std::vector<double>& diff_dst, int threads) {
  const Pool2dShape shape = to_shape(p);
  const auto in = test::to_lanes<Real>(src, kSamples, kChannels * p.ih * p.iw, IdleLanes::kFirstSample);
  const auto diff = test::to_lanes<Real>(diff_dst, kSamples, kChannels * p.oh() * p.ow(), IdleLanes::kZero);
  test::Guarded<Real> max(diff.size()), average(diff.size()), max_diff(in.size()), average_diff(in.size());
  test::Guarded<std::int32_t> which(diff.size());
  test::run_team(threads, [&](const Team& team) {
    table.maxpool_forward(shape, in.data(), max.data(), which.data(), team);
    table.maxpool_backward(shape, diff.data(), which.data(), max_diff.data(), team);
    table.avgpool_forward(shape, in.data(), average.data(), team);
    table.avgpool_backward(shape, diff.data(), average_diff.data(), team);
  });
  EXPECT_TRUE(max.guards_untouched() && which.guards_untouched() && max_diff.guards_untouched());
  EXPECT_TRUE(average.guards_untouched() && average_diff.guards_untouched());
  return {max.values(), max_diff.values(), average.values(), average_diff.values(), which.values()};
}

TEST_P(Pool2d, MatchesReferenceWithOverlapPaddingAndRests) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    unsigned seed = 1;
    for (Pooling p : pooling_shapes()) {
      p.planes = kSamples * kChannels;
      Numbers numbers(++seed);
      const auto src = numbers.uniform(p.planes * p.ih * p.iw);
      const auto diff = numbers.uniform(p.planes * p.oh() * p.ow());
      const auto got = run_pool(table, p, src, diff, 1);
      const std::int64_t out = kChannels * p.oh() * p.ow();
      const std::int64_t in = kChannels * p.ih * p.iw;
      const std::int64_t window = p.kh * p.kw;
      std::vector<std::int64_t> which;
      EXPECT_EQ(test::from_lanes(got.max.data(), kSamples, out), reference::maxpool_forward(p, src, &which));
      EXPECT_EQ(test::from_lanes(got.which.data(), kSamples, out),
                std::vector<double>(which.begin(), which.end()));
      expect_within<Real>(test::from_lanes(got.max_diff.data(), kSamples, in),
                          reference::maxpool_backward(p, src, diff),
                          reference::maxpool_backward(p, src, magnitudes(diff)), window, "maxpool diff_src");
      expect_within<Real>(test::from_lanes(got.average.data(), kSamples, out),
                          reference::avgpool_forward(p, src), reference::avgpool_forward(p, magnitudes(src)),
                          window + 1, "avgpool dst");
      expect_within<Real>(test::from_lanes(got.average_diff.data(), kSamples, in),
                          reference::avgpool_backward(p, diff),
                          reference::avgpool_backward(p, magnitudes(diff)), window + 1, "avgpool diff_src");
    }
  });
}

TEST_P(Pool2d, GivesTheSameBitsForTeamsOfOneTwoAndThree) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    for (Pooling p : pooling_shapes()) {
      p.planes = kSamples * kChannels;
      Numbers numbers(4);
      const auto src = numbers.uniform(p.planes * p.ih * p.iw);
      const auto diff = numbers.uniform(p.planes * p.oh() * p.ow());
      const auto one = run_pool(table, p, src, diff, 1);
      for (const int threads : {2, 3}) {
        const auto more = run_pool(table, p, src, diff, threads);
        EXPECT_EQ(std::memcmp(one.max_diff.data(), more.max_diff.data(), one.max_diff.size() * sizeof(Real)),
                  0);
        EXPECT_EQ(std::memcmp(one.average.data(), more.average.data(), one.average.size() * sizeof(Real)), 0);
        EXPECT_EQ(std::memcmp(one.average_diff.data(), more.average_diff.data(),
                              one.average_diff.size() * sizeof(Real)),
                  0);
        EXPECT_EQ(one.max, more.max);
        EXPECT_EQ(one.which, more.which);
      }
    }
  });
}

TEST_P(Pool2d, TakesTheFirstOfEqualsAndKeepsNaN) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    const Pool2dShape shape = {.c = 1, .ih = 2, .iw = 2, .oh = 1, .ow = 1};
    const double nan = std::numeric_limits<double>::quiet_NaN();
    struct Case {
      std::vector<double> src;
      std::int32_t which;
    };
    for (const Case& c : {Case{{3, 3, 1, 3}, 0}, Case{{1, 3, 3, 2}, 1}, Case{{-4, -3, -2, -1}, 3},
                          Case{{1, nan, 5, nan}, 1}, Case{{nan, 2, 5, 7}, 0}}) {
      const auto src = test::to_lanes<Real>(c.src, 1, 4, IdleLanes::kFirstSample);
      test::Guarded<Real> dst(kLanes);
      test::Guarded<std::int32_t> which(kLanes);
      table.maxpool_forward(shape, src.data(), dst.data(), which.data(), Team());
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        EXPECT_EQ(which.data()[lane], c.which);
        const double want = c.src[static_cast<std::size_t>(c.which)];
        if (std::isnan(want)) {
          EXPECT_TRUE(std::isnan(dst.data()[lane]));
        } else {
          EXPECT_EQ(dst.data()[lane], static_cast<Real>(want));
        }
      }
    }
  });
}

}  // namespace
}  // namespace convoy::kernels
