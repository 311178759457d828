#include "convoy/comm/reducer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "convoy/core/random.hpp"
#include "world.hpp"

namespace convoy::comm {
namespace {

using test::world;

constexpr std::int64_t kMostLeaves = 21;
constexpr float kDivisor = 7.0F;

/// Element k of leaf `leaf`'s gradient: of any sign and of very different sizes, so that the order of
/// additions shows.
float leaf_value(std::int64_t leaf, std::int64_t k) {
  RandomStream stream(
      random_key(1, RandomPurpose::kTest, static_cast<std::uint64_t>(leaf), static_cast<std::uint64_t>(k)));
  return static_cast<float>(stream.normal() * std::exp(stream.uniform(-8, 8)));
}

/// Element k of the tree's sum over `node`, one rounding an addition, by recursion.
float node_value(const Range& node, std::int64_t k) {
  if (node.size() == 1) return leaf_value(node.begin, k);
  std::int64_t half = 1;
  while (2 * half < node.size()) half *= 2;
  return node_value({node.begin, node.begin + half}, k) + node_value({node.begin + half, node.end}, k);
}

std::uint32_t bits(float value) {
  std::uint32_t word = 0;
  std::memcpy(&word, &value, sizeof(word));
  return word;
}

/// Reduces `leaves` leaves over `ranks` and returns the result of this rank.
std::vector<float> reduce(Reducer& reducer, const Communicator& ranks, std::int64_t leaves,
                          std::int64_t size) {
  std::vector<std::vector<float>> values;
  std::vector<NodeValue> mine;
  for (const Range& node : maximal_nodes(leaf_block(leaves, ranks.size(), ranks.rank()), leaves)) {
    auto& value = values.emplace_back(static_cast<std::size_t>(size));
    for (std::int64_t k = 0; k < size; ++k) value[static_cast<std::size_t>(k)] = node_value(node, k);
    mine.push_back({node, nullptr});
  }
  for (std::size_t i = 0; i < mine.size(); ++i) mine[i].value = values[i].data();
  std::vector<float> result(static_cast<std::size_t>(size));
  reducer.reduce(mine, leaves, kDivisor, result);
  return result;
}

/// EXPECTs that `leaves` leaves over `ranks` have the bits of the serial sum.
void expect_serial_bits(Reducer& reducer, const Communicator& ranks, std::int64_t leaves, std::int64_t size) {
  const std::vector<float> result = reduce(reducer, ranks, leaves, size);
  for (std::int64_t k = 0; k < size; ++k)
    ASSERT_EQ(bits(result[static_cast<std::size_t>(k)]), bits(node_value({0, leaves}, k) / kDivisor))
        << leaves << " leaves, element " << k << " of " << size;
}

TEST(Reducer, HasTheSerialTreesBitsForAnyNumberOfLeaves) {
  constexpr std::int64_t kSize = 103;  // no multiple of any rank count here
  Reducer reducer(world(), kSize);
  for (std::int64_t leaves = 1; leaves <= kMostLeaves; ++leaves)
    expect_serial_bits(reducer, world(), leaves, kSize);
}

TEST(Reducer, TheTestsNumbersSeeTheOrderOfAdditions) {
  // Else the test above would accept any order.
  int differing = 0;
  for (std::int64_t k = 0; k < 103; ++k) {
    float forward = leaf_value(0, k);
    for (std::int64_t leaf = 1; leaf < kMostLeaves; ++leaf) forward += leaf_value(leaf, k);
    differing += bits(forward) != bits(node_value({0, kMostLeaves}, k)) ? 1 : 0;
  }
  EXPECT_GT(differing, 10);
}

TEST(Reducer, WorksOnVectorsShorterThanTheNumberOfRanks) {
  for (const std::int64_t size : {1, 2, 3, 4}) {
    Reducer reducer(world(), size);
    expect_serial_bits(reducer, world(), 5, size);
  }
}

TEST(Reducer, RanksWithoutLeavesTakePartAndGetTheResult) {
  Reducer reducer(world(), 17);
  expect_serial_bits(reducer, world(), 1, 17);  // all ranks but the first have none
}

TEST(Reducer, PartsOfASplitWorldReduceIndependently) {
  const Communicator part = world().split(world().rank() % 2);
  Reducer reducer(part, 50);
  for (const std::int64_t leaves : {1 + world().rank() % 2, 6, 11})
    expect_serial_bits(reducer, part, leaves, 50);
}

TEST(Reducer, TwoReducersMayTakeTurns) {
  Reducer first(world(), 30);
  Reducer second(world(), 11);
  for (int turn = 0; turn < 3; ++turn) {
    expect_serial_bits(first, world(), 8, 30);
    expect_serial_bits(second, world(), 9, 11);
  }
}

struct Traffic {
  double sent_bytes_per_rank = 0;  ///< measured, on average
  double bound = 0;                ///< (f+1)·(P−1)/P times the gradient's bytes
  double gather_at_root = 0;  ///< most bytes through one rank if rank 0 gathered everything and sent it back
};

Traffic traffic_of(std::int64_t leaves) {
  constexpr std::int64_t kSize = 960;  // a multiple of 1 to 5: slices of equal size
  constexpr double kBytes = kSize * sizeof(float);
  Reducer reducer(world(), kSize);
  (void)reduce(reducer, world(), leaves, kSize);
  double sent = 0;
  for (const std::int64_t each : world().all_gather_values(std::vector{reducer.bytes_sent()}))
    sent += static_cast<double>(each);
  const int ranks = world().size();
  double nodes = 0;
  double foreign = 0;  // nodes that do not lie at rank 0
  for (int rank = 0; rank < ranks; ++rank) {
    const auto held = static_cast<double>(maximal_nodes(leaf_block(leaves, ranks, rank), leaves).size());
    nodes += held;
    if (rank > 0) foreign += held;
  }
  return {.sent_bytes_per_rank = sent / ranks,
          .bound = (nodes / ranks + 1) * (ranks - 1) / ranks * kBytes,
          .gather_at_root = (foreign + ranks - 1) * kBytes};
}

// The bound is met exactly: only the rounding of averages may lie between.
constexpr double kRounding = 1 + 1e-12;

TEST(ReducerTraffic, StaysWithinTheContractsBound) {
  for (std::int64_t leaves = 1; leaves <= kMostLeaves; ++leaves) {
    const Traffic traffic = traffic_of(leaves);
    EXPECT_LE(traffic.sent_bytes_per_rank, traffic.bound * kRounding) << leaves << " leaves";
    if (world().size() > 1) {
      EXPECT_GT(traffic.sent_bytes_per_rank, 0) << leaves << " leaves: nothing was counted";
    }
  }
}

TEST(ReducerTraffic, GatheringEverythingAtOneRankWouldBreakTheBound) {
  // Per rank counts the busiest one here: it is what a step waits for. Bytes received and sent by rank 0
  // against both directions of the bound.
  if (world().size() < 3) GTEST_SKIP() << "with 1 or 2 ranks both ways send the same";
  for (std::int64_t leaves = world().size(); leaves <= kMostLeaves; ++leaves) {
    const Traffic traffic = traffic_of(leaves);
    EXPECT_GT(traffic.gather_at_root, 2 * traffic.bound) << leaves << " leaves";
  }
}

TEST(ReducerTraffic, NoRankSendsMoreThanItsOwnNodesAndSlice) {
  // The busiest rank is bounded too: (its nodes + 1)·(P−1)/P gradients, here where P divides the size.
  constexpr std::int64_t kSize = 960;
  for (const std::int64_t leaves : {5, 8, 13, 16}) {
    Reducer reducer(world(), kSize);
    (void)reduce(reducer, world(), leaves, kSize);
    const auto ranks = static_cast<std::int64_t>(world().size());
    const auto mine = static_cast<std::int64_t>(
        maximal_nodes(leaf_block(leaves, world().size(), world().rank()), leaves).size());
    EXPECT_EQ(reducer.bytes_sent() * ranks,
              (mine + 1) * (ranks - 1) * kSize * static_cast<std::int64_t>(sizeof(float)))
        << leaves << " leaves";
  }
}

}  // namespace
}  // namespace convoy::comm
