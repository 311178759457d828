#include "convoy/comm/reducer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <thread>

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

/// `size` elements in buckets of `most`, from the back as backward goes.
std::vector<Range> cut(std::int64_t size, std::int64_t most) {
  std::vector<Range> buckets;
  for (std::int64_t end = size; end > 0; end -= most)
    buckets.push_back({std::max<std::int64_t>(0, end - most), end});
  return buckets;
}

/// A Reducer whose owners divide, and what a rank does with it.
class Ranks {
 public:
  Ranks(const Communicator& ranks, std::int64_t size, std::int64_t most, NodeMemory memory)
      : ranks_(ranks), size_(size), most_(most), reducer_(ranks, size, cut(size, most), memory, divide()) {
    std::int64_t slots = 0;
    for (std::int64_t leaves = 1; leaves <= kMostLeaves; ++leaves)
      slots = std::max(slots, static_cast<std::int64_t>(nodes(leaves).size()));
    reducer_.reserve(slots);
  }

  /// Begins a step of `leaves` and contributes to it. The step before must have been begun by then, not done.
  void begin(std::int64_t leaves) {
    const std::vector<Range> mine = nodes(leaves);
    if (planned_.insert(leaves).second) {
      finish();  // a new plan is for idle ranks
      std::vector<std::int64_t> slots(mine.size());
      for (std::size_t i = 0; i < mine.size(); ++i) slots[i] = static_cast<std::int64_t>(mine.size() - 1 - i);
      reducer_.plan(leaves, slots);
    }
    reducer_.begin(leaves);
    int bucket = 0;
    for (const Range& elements : cut(size_, most_)) {
      while (!reducer_.is_done(bucket)) poll();
      ++bucket;
      for (std::size_t i = 0; i < mine.size(); ++i) {
        for (std::int64_t k = elements.begin; k < elements.end; ++k)
          reducer_.slot(static_cast<std::int64_t>(mine.size() - 1 - i))[k] = node_value(mine[i], k);
      }
      reducer_.contribute();
      reducer_.poll();
    }
  }
  void finish() {
    while (!reducer_.is_idle()) poll();
  }

  /// A whole step of `leaves`; EXPECTs the bits of the serial sum.
  void expect_serial_bits(std::int64_t leaves) {
    begin(leaves);
    finish();
    expect_values(leaves);
  }
  void expect_values(std::int64_t leaves) {
    for (std::int64_t k = 0; k < size_; ++k)
      ASSERT_EQ(bits(reducer_.values()[static_cast<std::size_t>(k)]),
                bits(node_value({0, leaves}, k) / kDivisor))
          << leaves << " leaves, element " << k << " of " << size_;
    ranks_.barrier();  // nobody goes on to overwrite what others of the node still look at
  }
  [[nodiscard]] const Reducer& reducer() const { return reducer_; }

 private:
  void poll() {
    reducer_.poll();
    std::this_thread::yield();  // more ranks than cores
  }
  Reducer::Finish divide() {
    return [this](std::int64_t, int, const Range& elements, const float* sum) {
      for (std::int64_t k = 0; k < elements.size(); ++k)
        reducer_.values()[static_cast<std::size_t>(elements.begin + k)] = sum[k] / kDivisor;
    };
  }
  [[nodiscard]] std::vector<Range> nodes(std::int64_t leaves) const {
    return maximal_nodes(leaf_block(leaves, ranks_.size(), ranks_.rank()), leaves);
  }
  Communicator ranks_;
  std::int64_t size_;
  std::int64_t most_;
  Reducer reducer_;
  std::set<std::int64_t> planned_;
};

constexpr NodeMemory kMemories[] = {NodeMemory::kShared, NodeMemory::kPrivate};

TEST(Reducer, HasTheSerialTreesBitsForAnyNumberOfLeavesAndAnyBuckets) {
  constexpr std::int64_t kSize = 103;  // no multiple of any rank count here
  for (const NodeMemory memory : kMemories) {
    for (const std::int64_t buckets : {1, 4}) {
      Ranks ranks(world(), kSize, (kSize + buckets - 1) / buckets, memory);
      for (std::int64_t leaves = 1; leaves <= kMostLeaves; ++leaves) ranks.expect_serial_bits(leaves);
    }
    Ranks(world(), kSize, 1, memory)
        .expect_serial_bits(kMostLeaves);  // more buckets than are in flight at once
  }
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
  for (const NodeMemory memory : kMemories) {
    for (const std::int64_t size : {1, 2, 3, 4}) Ranks(world(), size, size, memory).expect_serial_bits(5);
  }
}

TEST(Reducer, RanksWithoutLeavesTakePartAndGetTheResult) {
  for (const NodeMemory memory : kMemories)
    Ranks(world(), 17, 5, memory).expect_serial_bits(1);  // all ranks but the first have none
}

TEST(Reducer, PartsOfASplitWorldReduceIndependently) {
  const Communicator part = world().split(world().rank() % 2);
  for (const NodeMemory memory : kMemories) {
    Ranks ranks(part, 50, 20, memory);
    for (const std::int64_t leaves : {1 + world().rank() % 2, 6, 11}) ranks.expect_serial_bits(leaves);
  }
}

TEST(Reducer, TwoReducersMayTakeTurns) {
  Ranks first(world(), 30, 8, NodeMemory::kShared);
  Ranks second(world(), 11, 11, NodeMemory::kShared);
  for (int turn = 0; turn < 3; ++turn) {
    first.expect_serial_bits(8);
    second.expect_serial_bits(9);
  }
}

TEST(Reducer, AStepMayBeginWhileTheOneBeforeIsUnderWay) {
  for (const NodeMemory memory : kMemories) {
    Ranks ranks(world(), 101, 13, memory);
    ranks.expect_serial_bits(7);  // so that both plans are there
    ranks.expect_serial_bits(12);
    for (int turn = 0; turn < 8; ++turn) ranks.begin(turn % 2 == 0 ? 7 : 12);
    ranks.finish();
    ranks.expect_values(12);
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
  Ranks step(world(), kSize, kSize, NodeMemory::kPrivate);  // each rank as if on a host of its own
  step.expect_serial_bits(leaves);
  double sent = 0;
  for (const std::int64_t each : world().all_gather_values(std::vector{step.reducer().bytes_sent()}))
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
    Ranks step(world(), kSize, kSize, NodeMemory::kPrivate);
    step.expect_serial_bits(leaves);
    const auto ranks = static_cast<std::int64_t>(world().size());
    const auto mine = static_cast<std::int64_t>(
        maximal_nodes(leaf_block(leaves, world().size(), world().rank()), leaves).size());
    EXPECT_EQ(step.reducer().bytes_sent() * ranks,
              (mine + 1) * (ranks - 1) * kSize * static_cast<std::int64_t>(sizeof(float)))
        << leaves << " leaves";
  }
}

TEST(ReducerTraffic, RanksOfOneNodeSendNothing) {
  Ranks step(world(), 960, 100, NodeMemory::kShared);
  step.expect_serial_bits(8);
  EXPECT_EQ(step.reducer().bytes_sent(), 0);
}

}  // namespace
}  // namespace convoy::comm
