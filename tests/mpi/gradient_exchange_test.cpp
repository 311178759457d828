// Compares steps of a GradientExchange on several ranks with the same steps computed serially.

#include "convoy/step/gradient_exchange.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "convoy/comm/tree.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/random.hpp"
#include "convoy/optim/optimizers.hpp"
#include "support/norm_scaled.hpp"
#include "world.hpp"

namespace convoy::step {
namespace {

using test::world;

constexpr int kSteps = 4;
constexpr std::int64_t kSamples = 64;

nn::Network network() {
  return nn::Network({3, 6, 6},
                     {{"conv 8 3x3", "test"},
                      {"batchnorm", "test"},
                      {"relu", "test"},
                      {"dense 20", "test"},
                      {"tanh", "test"},
                      {"dense 5", "test"}},
                     nn::LossKind::kSoftmaxCrossEntropy, 5);
}

/// Gradient element of micro-batch `leaf` in step `step`. Multiples of 1/2 if MPI adds, so that the order of
/// additions does not change the sum.
float gradient(int step, std::int64_t leaf, std::int64_t element, bool is_whole) {
  RandomStream stream(random_key(static_cast<std::uint64_t>(step) + 1, RandomPurpose::kTest,
                                 static_cast<std::uint64_t>(leaf), static_cast<std::uint64_t>(element)));
  const double value = stream.normal() * std::exp(stream.uniform(-6, 2));
  return static_cast<float>(is_whole ? std::round(value * 2) / 2 : value);
}

optim::StepInfo info_of(int step) {
  return {.step = step, .learning_rate = 0.25 / (step + 1), .samples = kSamples};
}

std::vector<float> all_of(model::State& state) {
  std::vector<float> all(state.parameters.begin(), state.parameters.end());
  all.insert(all.end(), state.statistics.begin(), state.statistics.end());
  return all;
}

/// The state after kSteps steps of `leaves` micro-batches, from sums along the tree, element by element.
model::State expected_state(const nn::Network& net, const optim::Optimizer& optimizer, std::int64_t leaves,
                            bool is_whole) {
  model::State state = model::make_state(net, &optimizer);
  net.initialise(3, state.parameters, state.statistics);
  model::NormSums norms(optimizer, state.parameter_ranges);
  std::vector<float> sum(static_cast<std::size_t>(net.gradient_size()));
  std::vector<float> of_leaves(static_cast<std::size_t>(leaves));
  for (int step = 0; step < kSteps; ++step) {
    for (std::size_t k = 0; k < sum.size(); ++k) {
      for (std::int64_t leaf = 0; leaf < leaves; ++leaf)
        of_leaves[static_cast<std::size_t>(leaf)] =
            gradient(step, leaf, static_cast<std::int64_t>(k), is_whole);
      sum[k] = comm::tree_sum(of_leaves);
    }
    const model::Update update{.optimizer = &optimizer, .info = info_of(step), .norms = &norms.norms()};
    norms.restart();
    for (int stage = 0; stage < norms.stages(); ++stage) {
      for (std::size_t i = 0; i < norms.blocks().size(); ++i) {
        const model::NormBlock& block = norms.blocks()[i];
        update.measure(stage, block.tensor, block.elements, sum.data() + block.elements.begin, state,
                       norms.squares(stage, static_cast<std::int64_t>(i)));
      }
      norms.finish(stage);
    }
    update.apply({0, net.gradient_size()}, sum.data(), state);
  }
  return state;
}

/// One rank's computation in one step: gradients of its micro-batches, added along its part of the tree.
void compute(const nn::Network& net, const StepPlan& plan, int step, bool is_whole,
             GradientExchange& exchange) {
  if (plan.groups.empty()) {
    exchange.finish(0);
    return;
  }
  const std::vector<passes::OperationRanges> ranges = passes::operation_ranges(net);
  const std::vector<StepPlan::Leaf>& work = plan.groups.front();
  const auto nothing = [](std::int64_t, std::int64_t) {};
  run_schedule(
      {.micro_batches = static_cast<std::int64_t>(work.size()),
       .operations = static_cast<int>(ranges.size())},
      &exchange, nothing, [](std::int64_t, std::int64_t, int) {},
      [&](std::int64_t i, std::int64_t, int operation) {
        const StepPlan::Leaf& leaf = work[static_cast<std::size_t>(i)];
        const passes::OperationRanges& its = ranges[static_cast<std::size_t>(operation)];
        const auto buffer = [&](std::int64_t slot) {
          return exchange.slots()[static_cast<std::size_t>(slot)];
        };
        for (const Range& range : {its.parameters, its.statistics}) {
          for (std::int64_t k = range.begin; k < range.end; ++k)
            buffer(leaf.slot)[k] = gradient(step, leaf.leaf, k, is_whole);
          for (const StepPlan::Merge& merge : leaf.merges)
            for (std::int64_t k = range.begin; k < range.end; ++k)
              buffer(merge.left)[k] += buffer(merge.right)[k];
        }
      });
}

struct Case {
  std::string name;
  CommOptions options;
  std::int64_t leaves = 1;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::int64_t leaves : {1, 6, 11}) {
    for (const bool overlaps : {true, false}) {
      for (const std::int64_t bytes : {4096, 1 << 20}) {
        const std::string name = std::to_string(leaves) + " micro-batches, buckets of " +
                                 std::to_string(bytes) + (overlaps ? ", overlapping" : "");
        const CommOptions options{.bucket_bytes = bytes, .overlap = overlaps};
        for (const bool is_shared : {true, false}) {
          for (const bool is_sharded : {true, false}) {
            CommOptions tree = options;
            tree.shared_memory = is_shared;
            tree.shards_optimizer = is_sharded;
            all.push_back({name + (is_shared ? ", shared" : ", private") +
                               (is_sharded ? ", by owners" : ", everywhere"),
                           tree, leaves});
          }
        }
        CommOptions mpi = options;
        mpi.reduction = comm::Reduction::kMpi;
        all.push_back({name + ", MPI", mpi, leaves});
      }
    }
  }
  return all;
}

void expect_serial_bits(const optim::Optimizer& optimizer) {
  const nn::Network net = network();
  for (const Case& each : cases()) {
    SCOPED_TRACE(each.name);
    const bool is_whole = each.options.reduction == comm::Reduction::kMpi;
    const StepPlan plan =
        plan_step(each.leaves, comm::leaf_block(each.leaves, world().size(), world().rank()), 1);
    GradientExchange exchange(world(), net, each.options,
                              {.kernels = kernels::float_kernels(kernels::supported_isas().front()),
                               .optimizer = &optimizer,
                               .plans = {&plan}});
    model::State& state = exchange.state();
    net.initialise(3, state.parameters, state.statistics);
    world().barrier();
    for (int step = 0; step < kSteps; ++step) {
      exchange.begin(plan, info_of(step), step + 1 == kSteps);
      compute(net, plan, step, is_whole, exchange);
      exchange.end();
    }
    exchange.verify();
    model::State expected = expected_state(net, optimizer, each.leaves, is_whole);
    ASSERT_EQ(all_of(state), all_of(expected));
    for (std::size_t i = 0; i < state.optimizer.size(); ++i) {
      for (const Range& range : state.optimizer[i].values.ranges())
        for (std::int64_t k = range.begin; k < range.end; ++k)
          ASSERT_EQ(*state.optimizer[i].values.at(k), *expected.optimizer[i].values.at(k))
              << state.optimizer[i].name << ", element " << k;
    }
    world().barrier();
  }
}

TEST(GradientExchange, HasTheSerialBitsOfSgd) {
  expect_serial_bits(*optim::make_sgd({.momentum = 0.9, .nesterov = true, .weight_decay = 0.01}));
}

TEST(GradientExchange, HasTheSerialBitsOfAnOptimizerThatAsksForNorms) {
  expect_serial_bits(test::NormScaled());
}

TEST(GradientExchange, HasTheSerialBitsOfClippingAndLookahead) {
  expect_serial_bits(*optim::make_optimizer({.kind = optim::OptimizerKind::kAdamw,
                                             .weight_decay = 0.01,
                                             .clip_norm = 0.5,
                                             .clip_value = 0.01,
                                             .lookahead_steps = 2}));
}

TEST(GradientExchange, HasTheSerialBitsOfTrustRatios) {
  expect_serial_bits(*optim::make_optimizer({.kind = optim::OptimizerKind::kLamb, .weight_decay = 0.01}));
  expect_serial_bits(*optim::make_optimizer({.kind = optim::OptimizerKind::kLars,
                                             .momentum = 0.9,
                                             .weight_decay = 0.01,
                                             .trust_coefficient = 0.1}));
}

TEST(GradientExchange, EveryParameterIsOwnedOnceAndStatesAreKeptWhereTheyAreUpdated) {
  const nn::Network net = network();
  const std::unique_ptr<const optim::Optimizer> sgd = optim::make_sgd({.momentum = 0.9});
  for (const bool is_sharded : {true, false}) {
    GradientExchange exchange(
        world(), net, {.shared_memory = false, .shards_optimizer = is_sharded},
        {.kernels = kernels::float_kernels(kernels::supported_isas().front()), .optimizer = sgd.get()});
    const model::State& state = exchange.state();
    std::vector<int> owners(static_cast<std::size_t>(net.parameter_count()));
    for (const Range& range : world().all_gather_values(state.owned))
      for (std::int64_t k = range.begin; k < range.end; ++k) ++owners[static_cast<std::size_t>(k)];
    EXPECT_TRUE(std::ranges::all_of(owners, [](int times) { return times == 1; }));
    if (is_sharded)
      EXPECT_EQ(state.optimizer.front().values.ranges(), state.owned);
    else
      EXPECT_EQ(state.kept(), net.parameter_count());
  }
}

TEST(GradientExchange, NamesARankThatHoldsOtherValues) {
  if (world().size() == 1) GTEST_SKIP() << "needs several ranks";
  const nn::Network net = network();
  const std::unique_ptr<const optim::Optimizer> sgd = optim::make_sgd({});
  const StepPlan plan = plan_step(6, comm::leaf_block(6, world().size(), world().rank()), 1);
  GradientExchange exchange(world(), net, {.shared_memory = false},
                            {.kernels = kernels::float_kernels(kernels::supported_isas().front()),
                             .optimizer = sgd.get(),
                             .plans = {&plan}});
  exchange.begin(plan, info_of(0), true);
  compute(net, plan, 0, false, exchange);
  exchange.end();
  exchange.settle();
  if (world().rank() == 1) exchange.state().parameters[7] += 1;
  try {
    exchange.verify();
    FAIL() << "not noticed";
  } catch (const DisagreementError& error) {
    EXPECT_NE(std::string(error.what()).find("rank 1 on"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace convoy::step
