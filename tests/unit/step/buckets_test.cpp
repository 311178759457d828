#include "convoy/step/buckets.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "convoy/optim/optimizer.hpp"
#include "convoy/passes/operations.hpp"

namespace convoy::step {
namespace {

nn::Network bucketed_network() {
  return nn::Network({3, 12, 12},
                     {{"conv 8 3x3", "test"},
                      {"batchnorm", "test"},
                      {"relu", "test"},
                      {"residual {", "test"},
                      {"conv 8 3x3 pad=1 bias=no", "test"},
                      {"batchnorm", "test"},
                      {"}", "test"},
                      {"relu", "test"},
                      {"dense 40", "test"},
                      {"tanh", "test"},
                      {"dense 5", "test"}},
                     nn::LossKind::kSoftmaxCrossEntropy, 5);
}

TEST(Buckets, CoverTheGradientOnceInAnySize) {
  const nn::Network net = bucketed_network();
  for (const std::int64_t bytes : {1, 40, 4096, 100'000, 1 << 30}) {
    std::vector<int> covered(static_cast<std::size_t>(net.gradient_size()));
    for (const Bucket& bucket : plan_buckets(net, bytes)) {
      EXPECT_GT(bucket.elements.size(), 0);
      EXPECT_LE(bucket.elements.size(), bytes / 4 + 3 * optim::kNormBlock);
      for (std::int64_t i = bucket.elements.begin; i < bucket.elements.end; ++i)
        ++covered[static_cast<std::size_t>(i)];
    }
    EXPECT_TRUE(std::ranges::all_of(covered, [](int times) { return times == 1; })) << bytes;
  }
}

TEST(Buckets, AreCompleteOnceTheirOperationIs) {
  const nn::Network net = bucketed_network();
  const std::vector<passes::OperationRanges> ranges = passes::operation_ranges(net);
  for (const std::int64_t bytes : {40, 4096, 1 << 30}) {
    int last = static_cast<int>(ranges.size());
    for (const Bucket& bucket : plan_buckets(net, bytes)) {
      EXPECT_LE(bucket.operation, last) << "not in the order in which backward goes";
      last = bucket.operation;
      for (int before = 0; before < bucket.operation; ++before) {
        for (const Range& range : {ranges[static_cast<std::size_t>(before)].parameters,
                                   ranges[static_cast<std::size_t>(before)].statistics})
          EXPECT_TRUE(range.end <= bucket.elements.begin || bucket.elements.end <= range.begin ||
                      range.size() == 0)
              << "operation " << before << " comes after " << bucket.operation;
      }
    }
  }
}

// So one rank has every block's whole sum.
TEST(Buckets, CutNoBlockOfNorms) {
  const nn::Network net = bucketed_network();
  std::vector<std::int64_t> ends{0};
  for (const nn::Tensor& tensor : net.parameters()) ends.push_back(tensor.offset + tensor.size());
  for (const std::int64_t bytes : {1, 40, 4096, 100'000}) {
    for (const Bucket& bucket : plan_buckets(net, bytes)) {
      const std::int64_t begin = bucket.elements.begin;
      EXPECT_TRUE(begin % optim::kNormBlock == 0 || begin >= net.parameter_count() ||
                  std::ranges::find(ends, begin) != ends.end())
          << begin << " of buckets of " << bytes;
    }
  }
}

TEST(Buckets, OfUnlimitedSizeAreOneOfParametersAndOneOfStatistics) {
  const nn::Network net = bucketed_network();
  const std::vector<Bucket> buckets = plan_buckets(net, std::int64_t{1} << 40);
  ASSERT_EQ(buckets.size(), 2U);
  EXPECT_EQ(buckets[0].elements.size() + buckets[1].elements.size(), net.gradient_size());
}

TEST(Buckets, ANetworkWithoutParametersHasNone) {
  const nn::Network net({2, 1, 1}, {{"flatten", "test"}}, nn::LossKind::kQuadratic, 2);
  EXPECT_TRUE(plan_buckets(net, 4096).empty());
}

TEST(Layerwise, IsWorthItForLargeGradientsBetweenHostsAlone) {
  const nn::Network wide({3, 8, 8}, {{"dense 4000", "test"}, {"relu", "test"}, {"dense 5", "test"}},
                         nn::LossKind::kSoftmaxCrossEntropy, 5);
  EXPECT_GT(layerwise_micro_batches(wide, 16, 4, {}), 1);
  EXPECT_EQ(layerwise_micro_batches(wide, 16, 1, {}), 1);
  EXPECT_EQ(layerwise_micro_batches(wide, 16, 4, {.overlap = false}), 1);
  const nn::Network deep(
      {3, 32, 32},
      {{"conv 32 3x3", "test"}, {"relu", "test"}, {"globalavgpool", "test"}, {"dense 5", "test"}},
      nn::LossKind::kSoftmaxCrossEntropy, 5);
  EXPECT_EQ(layerwise_micro_batches(deep, 16, 4, {}), 1);
}

}  // namespace
}  // namespace convoy::step
