#include "convoy/measure/scaling.hpp"

#include <gtest/gtest.h>

#include "convoy/step/buckets.hpp"

namespace convoy::measure {
namespace {

nn::Network scaled_network() {
  return nn::Network({3, 12, 12},
                     {{"conv 8 3x3", "test"},
                      {"relu", "test"},
                      {"dense 200", "test"},
                      {"tanh", "test"},
                      {"dense 100", "test"},
                      {"tanh", "test"},
                      {"dense 5", "test"}},
                     nn::LossKind::kSoftmaxCrossEntropy, 5);
}

/// Forward takes 1 ms per operation, backward 2 ms; additions and updates take no time.
Costs costs(const nn::Network& net, const comm::Link& link) {
  const std::size_t operations = passes::operation_ranges(net).size();
  return {.micro_batch = {std::vector<double>(operations, 1e-3), std::vector<double>(operations, 2e-3)},
          .add = 0,
          .update = 0,
          .link = link};
}

constexpr comm::Link kNoTime{.latency = 0, .gap = 0, .bytes_per_second = 1e30, .hosts = 2};

TEST(Scaling, OneRankComputesAllMicroBatches) {
  const nn::Network net = scaled_network();
  const step::Options options;
  const Costs its = costs(net, kNoTime);
  const Prediction one = predict(net, options, its, {.leaves = 8});
  EXPECT_NEAR(one.step, 8 * its.micro_batch.sum(), 1e-9);
  EXPECT_NEAR(one.exposed(), 0, 1e-9);
  EXPECT_EQ(one.communication, 0);
  EXPECT_NEAR(predict(net, options, its, {.threads = 4, .leaves = 8}).step, 2 * its.micro_batch.sum(), 1e-9);
  EXPECT_NEAR(predict(net, options, its, {.threads = 16, .leaves = 8}).step, its.micro_batch.sum() / 2, 1e-9);
}

TEST(Scaling, ANetworkThatTakesNoTimeScalesUntilMicroBatchesDivideUnevenly) {
  const nn::Network net = scaled_network();
  const Costs its = costs(net, kNoTime);
  for (const std::int64_t ranks : {2, 4, 8})
    EXPECT_NEAR(predict(net, {}, its, {.ranks = ranks, .leaves = 8}).step,
                8 / static_cast<double>(ranks) * its.micro_batch.sum(), 1e-9);
  EXPECT_NEAR(predict(net, {}, its, {.ranks = 3, .leaves = 8}).step, 3 * its.micro_batch.sum(), 1e-9);
}

TEST(Scaling, WithoutOverlapAStepIsComputationThenCommunication) {
  const nn::Network net = scaled_network();
  step::Options options;
  options.comm.overlap = false;
  const Costs its = costs(net, {.latency = 0, .gap = 0, .bytes_per_second = 2e7, .hosts = 2});
  const Prediction two = predict(net, options, its, {.ranks = 2, .leaves = 2});
  EXPECT_NEAR(two.communication, static_cast<double>(net.gradient_size()) * 4 / 2e7,
              1e-9);  // (f+1)·(N−1)/N = 1
  EXPECT_NEAR(two.step, two.compute + two.communication, 1e-6);
}

TEST(Scaling, OverlapHidesAPartAndNeverMoreThanThereIs) {
  const nn::Network net = scaled_network();
  step::Options options;
  options.comm.bucket_bytes = 1 << 14;
  for (const double rate : {1e6, 1e7, 3e7, 1e8, 1e9}) {
    const Costs its = costs(net, {.latency = 1e-5, .gap = 1e-6, .bytes_per_second = rate, .hosts = 4});
    const Job job{.ranks = 4, .leaves = 8};
    options.comm.overlap = true;
    const Prediction with = predict(net, options, its, job);
    options.comm.overlap = false;
    const Prediction without = predict(net, options, its, job);
    EXPECT_LT(with.step, without.step) << rate;
    EXPECT_GE(with.step, std::max(with.compute, with.communication) * 0.999) << rate;
    EXPECT_GE(with.exposed(), -1e-9) << rate;
  }
}

TEST(Scaling, PartialSumsOfTheBusiestHostCount) {
  const nn::Network net = scaled_network();
  const Costs its = costs(net, kNoTime);
  EXPECT_EQ(predict(net, {}, its, {.ranks = 4, .leaves = 8}).partial_sums, 1);
  EXPECT_EQ(predict(net, {}, its, {.ranks = 3, .leaves = 8}).partial_sums, 2);
  EXPECT_EQ(predict(net, {}, its, {.ranks = 3, .leaves = 3}).partial_sums, 1);
  EXPECT_EQ(predict(net, {}, its, {.ranks = 8, .ranks_a_host = 4, .leaves = 16}).partial_sums, 1);
}

}  // namespace
}  // namespace convoy::measure
