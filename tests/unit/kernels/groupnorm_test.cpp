// Group normalisation against the textbook.

#include <cstring>

#include "reference/groupnorm.hpp"
#include "support/guarded.hpp"
#include "support/lanes.hpp"
#include "support/teams.hpp"
#include "unit/kernels/kernel_sets.hpp"

namespace convoy::kernels {
namespace {

using reference::GroupNorm;
using test::IdleLanes;

class GroupNormKernels : public Kernels {};
CONVOY_FOR_ALL_KERNEL_SETS(GroupNormKernels);

struct GroupNormCase {
  GroupNorm shape;
  std::vector<double> src, diff_dst, weight, bias;
};

GroupNormCase make_groupnorm_case(const GroupNorm& shape, unsigned seed) {
  Numbers numbers(seed);
  const std::int64_t size = shape.n * shape.c * shape.spatial;
  return {shape, numbers.uniform(size, 1, 4), numbers.uniform(size), numbers.uniform(shape.c, 0.5, 2),
          numbers.uniform(shape.c)};
}

template <class Real>
struct GroupNormResults {
  std::vector<Real> dst, diff_src, diff_weight, diff_bias;
  bool operator==(const GroupNormResults&) const = default;
};

template <class Real>
GroupNormResults<Real> run_groupnorm(const KernelTable<Real>& table, const GroupNormCase& c, int threads,
                                     bool is_affine = true) {
  const GroupNorm& r = c.shape;
  const GroupNormShape shape = {
      .blocks = lane_blocks(r.n), .c = r.c, .spatial = r.spatial, .groups = r.groups, .epsilon = r.epsilon};
  const auto src = test::to_lanes<Real>(c.src, r.n, r.c * r.spatial, IdleLanes::kFirstSample);
  const auto diff_dst = test::to_lanes<Real>(c.diff_dst, r.n, r.c * r.spatial, IdleLanes::kZero);
  const auto weight = to_real<Real>(c.weight);
  const auto bias = to_real<Real>(c.bias);
  test::Guarded<Real> dst(src.size()), diff_src(src.size());
  test::Guarded<Real> mean(shape.blocks * r.groups * kLanes), inverse(mean.size());
  test::Guarded<Real> diff_weight(r.c), diff_bias(r.c);
  test::run_team(threads, [&](const Team& team) {
    table.groupnorm_forward(shape, src.data(), is_affine ? weight.data() : nullptr,
                            is_affine ? bias.data() : nullptr, {}, dst.data(), mean.data(), inverse.data(),
                            team);
    table.groupnorm_backward(shape, src.data(), diff_dst.data(), is_affine ? weight.data() : nullptr,
                             mean.data(), inverse.data(), diff_src.data(),
                             is_affine ? diff_weight.data() : nullptr, is_affine ? diff_bias.data() : nullptr,
                             team);
  });
  EXPECT_TRUE(dst.guards_untouched() && diff_src.guards_untouched());
  EXPECT_TRUE(mean.guards_untouched() && inverse.guards_untouched());
  EXPECT_TRUE(diff_weight.guards_untouched() && diff_bias.guards_untouched());
  return {dst.values(), diff_src.values(), is_affine ? diff_weight.values() : std::vector<Real>(),
          is_affine ? diff_bias.values() : std::vector<Real>()};
}

std::vector<GroupNorm> groupnorm_shapes() {
  return {{.n = 16, .c = 6, .spatial = 49, .groups = 3}, {.n = 5, .c = 4, .spatial = 9, .groups = 1},
          {.n = 1, .c = 2, .spatial = 200, .groups = 2}, {.n = 17, .c = 8, .spatial = 1, .groups = 1},
          {.n = 40, .c = 9, .spatial = 70, .groups = 9}, {.n = 33, .c = 4, .spatial = 3, .groups = 2}};
}

template <class Real>
void expect_near_groupnorm(const std::vector<Real>& got, const std::vector<double>& want, double bound,
                           const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], bound) << what << ", " << i;
}

TEST_P(GroupNormKernels, MatchesReferenceWithIdleLanes) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    unsigned seed = 1;
    for (const GroupNorm& shape : groupnorm_shapes()) {
      for (const bool is_affine : {true, false}) {
        GroupNormCase c = make_groupnorm_case(shape, ++seed);
        const GroupNormResults<Real> got = run_groupnorm(table, c, 1, is_affine);
        if (!is_affine) {
          c.weight.assign(c.weight.size(), 1);
          c.bias.assign(c.bias.size(), 0);
        }
        const auto dst = reference::groupnorm_forward(shape, c.src, c.weight, c.bias);
        const auto diffs = reference::groupnorm_backward(shape, c.src, c.diff_dst, c.weight);
        // Values up to 4 with deviations of at least 0.1: a few dozen units of their products.
        const double bound = 400. * std::numeric_limits<Real>::epsilon();
        const std::int64_t size = shape.c * shape.spatial;
        expect_near_groupnorm(test::from_lanes(got.dst.data(), shape.n, size), dst, bound, "dst");
        expect_near_groupnorm(test::from_lanes(got.diff_src.data(), shape.n, size), diffs.diff_src, bound,
                              "diff_src");
        if (!is_affine) continue;
        const double of_sums = bound * static_cast<double>(shape.n * shape.spatial);
        expect_near_groupnorm(got.diff_weight, diffs.diff_weight, of_sums, "diff_weight");
        expect_near_groupnorm(got.diff_bias, diffs.diff_bias, of_sums, "diff_bias");
      }
    }
  });
}

TEST_P(GroupNormKernels, GiveASampleTheSameBitsBesideAnyOthers) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    GroupNormCase many = make_groupnorm_case({.n = 20, .c = 4, .spatial = 30, .groups = 2}, 5);
    GroupNormCase one = many;
    one.shape.n = 1;
    for (auto* values : {&one.src, &one.diff_dst}) values->resize(4 * 30);
    const GroupNormResults<Real> of_many = run_groupnorm(table, many, 1);
    const GroupNormResults<Real> of_one = run_groupnorm(table, one, 1);
    for (std::size_t i = 0; i < 4 * 30 * kLanes; i += kLanes) {
      ASSERT_EQ(of_many.dst[i], of_one.dst[i]);
      ASSERT_EQ(of_many.diff_src[i], of_one.diff_src[i]);
    }
  });
}

TEST_P(GroupNormKernels, GiveTheSameBitsForTeamsOfAnySize) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    for (const GroupNorm& shape : groupnorm_shapes()) {
      const GroupNormCase c = make_groupnorm_case(shape, 9);
      const GroupNormResults<Real> one = run_groupnorm(table, c, 1);
      for (const int threads : {2, 3, 7}) EXPECT_TRUE(one == run_groupnorm(table, c, threads));
    }
  });
}

}  // namespace
}  // namespace convoy::kernels
