#include "convoy/comm/reducer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
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

/// x rounded to 8 significant bits, ties to even, by arithmetic alone.
float in_8_bits(float x) {
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8));
}

/// Element k of the tree's sum over `node`, one rounding an addition, by recursion.
float node_value(const Range& node, std::int64_t k, Wire wire = Wire::kFloat32) {
  const auto rounded = [&](float x) { return wire == Wire::kBfloat16 ? in_8_bits(x) : x; };
  if (node.size() == 1) return rounded(leaf_value(node.begin, k));
  std::int64_t half = 1;
  while (2 * half < node.size()) half *= 2;
  return rounded(node_value({node.begin, node.begin + half}, k, wire) +
                 node_value({node.begin + half, node.end}, k, wire));
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
  Ranks(const Communicator& ranks, std::int64_t size, std::int64_t most, const ReducerOptions& options)
      : ranks_(ranks),
        size_(size),
        most_(most),
        options_(options),
        reducer_(ranks, size, cut(size, most), options, divide()) {
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
          reducer_.slot(static_cast<std::int64_t>(mine.size() - 1 - i))[k] = node_value(mine[i], k, wire(k));
      }
      reducer_.contribute();
      reducer_.poll();
    }
  }
  void finish() {
    while (!reducer_.is_idle()) poll();
  }

  /// A step of which all is contributed at once, with naps around the first poll; EXPECTs as above.
  void expect_serial_bits_napping(std::int64_t leaves, std::chrono::milliseconds before,
                                  std::chrono::milliseconds after) {
    expect_serial_bits(leaves);  // so that the plan is there
    reducer_.begin(leaves);
    const std::vector<Range> mine = nodes(leaves);
    for (std::size_t i = 0; i < mine.size(); ++i) {
      for (std::int64_t k = 0; k < size_; ++k)
        reducer_.slot(static_cast<std::int64_t>(mine.size() - 1 - i))[k] = node_value(mine[i], k, wire(k));
    }
    for (std::int64_t b = 0; b < reducer_.bucket_count(); ++b) reducer_.contribute();
    std::this_thread::sleep_for(before);
    reducer_.poll();
    std::this_thread::sleep_for(after);
    finish();
    expect_values(leaves);
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
                bits(node_value({0, leaves}, k, wire(k)) / kDivisor))
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
  /// Of element k: a bucket is of one form.
  [[nodiscard]] Wire wire(std::int64_t k) const {
    const std::int64_t begin = std::max<std::int64_t>(0, size_ - ((size_ - 1 - k) / most_ + 1) * most_);
    return begin >= options_.exact_from ? Wire::kFloat32 : options_.wire;
  }
  Communicator ranks_;
  std::int64_t size_;
  std::int64_t most_;
  ReducerOptions options_;
  Reducer reducer_;
  std::set<std::int64_t> planned_;
};

/// Every way that has the tree's bits.
std::vector<ReducerOptions> exact_ways() {
  std::vector<ReducerOptions> ways;
  for (const NodeMemory memory : {NodeMemory::kShared, NodeMemory::kPrivate}) {
    for (const Updates updates : {Updates::kByOwners, Updates::kEverywhere}) {
      for (const Wire wire : {Wire::kFloat32, Wire::kBfloat16})
        ways.push_back({.memory = memory, .updates = updates, .wire = wire, .exact_from = 60});
    }
  }
  return ways;
}

TEST(Reducer, HasTheSerialTreesBitsForAnyNumberOfLeavesAndAnyBuckets) {
  constexpr std::int64_t kSize = 103;  // no multiple of any rank count here
  for (const ReducerOptions& way : exact_ways()) {
    for (const std::int64_t buckets : {1, 4}) {
      Ranks ranks(world(), kSize, (kSize + buckets - 1) / buckets, way);
      for (std::int64_t leaves = 1; leaves <= kMostLeaves; ++leaves) ranks.expect_serial_bits(leaves);
    }
    Ranks(world(), kSize, 1, way).expect_serial_bits(kMostLeaves);  // more buckets than are in flight at once
  }
}

TEST(Reducer, OneRankMayBeFarAheadOfTheOthers) {
  // Rank 0 gets everybody's parts of all buckets, more than it has posted receives for, and nobody's values.
  using std::chrono::milliseconds;
  const bool is_ahead = world().rank() == 0;
  for (const ReducerOptions& way : exact_ways())
    Ranks(world(), 80, 1, way)
        .expect_serial_bits_napping(9, milliseconds(is_ahead ? 20 : 0), milliseconds(is_ahead ? 0 : 60));
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
  for (const ReducerOptions& way : exact_ways()) {
    for (const std::int64_t size : {1, 2, 3, 4}) Ranks(world(), size, size, way).expect_serial_bits(5);
  }
}

TEST(Reducer, RanksWithoutLeavesTakePartAndGetTheResult) {
  for (const ReducerOptions& way : exact_ways())
    Ranks(world(), 17, 5, way).expect_serial_bits(1);  // all ranks but the first have none
}

TEST(Reducer, PartsOfASplitWorldReduceIndependently) {
  const Communicator part = world().split(world().rank() % 2);
  for (const ReducerOptions& way : exact_ways()) {
    Ranks ranks(part, 50, 20, way);
    for (const std::int64_t leaves : {1 + world().rank() % 2, 6, 11}) ranks.expect_serial_bits(leaves);
  }
}

TEST(Reducer, TwoReducersMayTakeTurns) {
  Ranks first(world(), 30, 8, {.memory = NodeMemory::kShared});
  Ranks second(world(), 11, 11, {.memory = NodeMemory::kShared});
  for (int turn = 0; turn < 3; ++turn) {
    first.expect_serial_bits(8);
    second.expect_serial_bits(9);
  }
}

TEST(Reducer, AStepMayBeginWhileTheOneBeforeIsUnderWay) {
  for (const ReducerOptions& way : exact_ways()) {
    Ranks ranks(world(), 101, 13, way);
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
  Ranks step(world(), kSize, kSize,
             {.memory = NodeMemory::kPrivate});  // each rank as if on a host of its own
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

TEST(ReducerTraffic, PartialSumsAreThoseOfTheRanksOnAverageAndOfTheBusiest) {
  constexpr std::int64_t kLeaves = 8;
  std::int64_t sum = 0;
  std::int64_t most = 0;
  for (int rank = 0; rank < world().size(); ++rank) {
    const auto held =
        static_cast<std::int64_t>(maximal_nodes(leaf_block(kLeaves, world().size(), rank), kLeaves).size());
    sum += held;
    most = std::max(most, held);
  }
  const Reducer reducer(world(), 64, {{0, 64}}, {.memory = NodeMemory::kPrivate},
                        [](std::int64_t, int, const Range&, const float*) {});
  const PartialSums sums = reducer.partial_sums(kLeaves);
  EXPECT_EQ(sums.mean, static_cast<double>(sum) / world().size());
  EXPECT_EQ(sums.most, most);
}

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
    Ranks step(world(), kSize, kSize, {.memory = NodeMemory::kPrivate});
    step.expect_serial_bits(leaves);
    const auto ranks = static_cast<std::int64_t>(world().size());
    const auto mine = static_cast<std::int64_t>(
        maximal_nodes(leaf_block(leaves, world().size(), world().rank()), leaves).size());
    EXPECT_EQ(step.reducer().bytes_sent() * ranks,
              (mine + 1) * (ranks - 1) * kSize * static_cast<std::int64_t>(sizeof(float)))
        << leaves << " leaves";
  }
}

TEST(ReducerTraffic, ShortNumbersHalveWhatIsSentOfGradients) {
  if (world().size() == 1) GTEST_SKIP() << "one rank sends nothing";
  const auto sent = [&](Wire wire, Updates updates) {
    Ranks step(world(), 960, 960, {.memory = NodeMemory::kPrivate, .updates = updates, .wire = wire});
    step.expect_serial_bits(16);
    return step.reducer().bytes_sent();
  };
  const std::int64_t values = std::int64_t{960} * 4 / world().size() * (world().size() - 1);
  const std::int64_t all = sent(Wire::kFloat32, Updates::kByOwners);
  EXPECT_EQ(2 * (sent(Wire::kBfloat16, Updates::kByOwners) - values), all - values);
  EXPECT_EQ(2 * sent(Wire::kBfloat16, Updates::kEverywhere), all);
}

TEST(Reducer, MpiAddsTheSameNumbers) {
  // Whole numbers, so that no order of additions shows.
  constexpr std::int64_t kSize = 103;
  std::vector<std::int64_t> finished(kSize);
  std::vector<Range> buckets = cut(kSize, 20);
  Reducer* reducer = nullptr;
  Reducer mpi(world(), kSize, buckets, {.reduction = Reduction::kMpi},
              [&](std::int64_t, int, const Range& elements, const float* sum) {
                for (std::int64_t k = 0; k < elements.size(); ++k) {
                  reducer->values()[static_cast<std::size_t>(elements.begin + k)] = sum[k];
                  ++finished[static_cast<std::size_t>(elements.begin + k)];
                }
              });
  reducer = &mpi;
  mpi.reserve(8);
  std::int64_t steps = 0;
  for (const std::int64_t leaves : {1, 5, 11, 21}) {
    const std::vector<Range> mine = maximal_nodes(leaf_block(leaves, world().size(), world().rank()), leaves);
    std::vector<std::int64_t> slots;
    for (std::size_t i = 0; i < mine.size(); ++i) slots.push_back(static_cast<std::int64_t>(i));
    mpi.plan(leaves, slots);
    mpi.begin(leaves);
    for (std::size_t i = 0; i < mine.size(); ++i) {
      for (std::int64_t k = 0; k < kSize; ++k)
        mpi.slot(static_cast<std::int64_t>(i))[k] = static_cast<float>(mine[i].size() * (k + 1));
    }
    for (std::size_t b = 0; b < buckets.size(); ++b) mpi.contribute();
    while (!mpi.is_idle()) mpi.poll();
    ++steps;
    for (std::int64_t k = 0; k < kSize; ++k) {
      EXPECT_EQ(mpi.values()[static_cast<std::size_t>(k)], static_cast<float>(leaves * (k + 1)));
      EXPECT_EQ(finished[static_cast<std::size_t>(k)], steps);
    }
  }
  EXPECT_EQ(mpi.finishes().size(), static_cast<std::size_t>(world().size()));
}

TEST(ReducerTraffic, RanksOfOneNodeSendNothing) {
  Ranks step(world(), 960, 100, {.memory = NodeMemory::kShared});
  step.expect_serial_bits(8);
  EXPECT_EQ(step.reducer().bytes_sent(), 0);
}

}  // namespace
}  // namespace convoy::comm
