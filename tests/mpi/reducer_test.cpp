#include "convoy/comm/reducer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>

#include "convoy/core/random.hpp"
#include "world.hpp"

namespace convoy::comm {
namespace {

using test::world;

constexpr std::int64_t kMostLeaves = 21;
constexpr float kDivisor = 7.0F;

/// Gradient element k of leaf `leaf`: of either sign and very different magnitudes, so that the sum depends
/// on the order of additions.
float leaf_value(std::int64_t leaf, std::int64_t k) {
  RandomStream stream(
      random_key(1, RandomPurpose::kTest, static_cast<std::uint64_t>(leaf), static_cast<std::uint64_t>(k)));
  return static_cast<float>(stream.normal() * std::exp(stream.uniform(-8, 8)));
}

/// The same with integers, whose sum is exact in any order: for MPI, which chooses its own order.
float whole_leaf_value(std::int64_t leaf, std::int64_t k) {
  return static_cast<float>((leaf * 7919 + k * 104729) % 2003 - 1001);
}

/// x rounded to 8 significant bits, ties to even, by arithmetic only.
float in_8_bits(float x) {
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8));
}

/// Element k of the tree's sum over `node`, by recursion, rounded after each addition.
float node_value(const Range& node, std::int64_t k, Wire wire = Wire::kFloat32,
                 float (*leaf)(std::int64_t, std::int64_t) = leaf_value) {
  const auto rounded = [&](float x) { return wire == Wire::kBfloat16 ? in_8_bits(x) : x; };
  if (node.size() == 1) return rounded(leaf(node.begin, k));
  std::int64_t half = 1;
  while (2 * half < node.size()) half *= 2;
  return rounded(node_value({node.begin, node.begin + half}, k, wire, leaf) +
                 node_value({node.begin + half, node.end}, k, wire, leaf));
}

std::uint32_t bits(float value) {
  std::uint32_t word = 0;
  std::memcpy(&word, &value, sizeof(word));
  return word;
}

/// Buckets of `most` elements that cover `size` elements, from the end as in backward.
std::vector<Range> cut(std::int64_t size, std::int64_t most) {
  std::vector<Range> buckets;
  for (std::int64_t end = size; end > 0; end -= most)
    buckets.push_back({std::max<std::int64_t>(0, end - most), end});
  return buckets;
}

/// A Reducer whose Finish divides, and the operations of one rank. Compares every sum that Finish receives.
class Ranks {
 public:
  Ranks(const Communicator& ranks, std::int64_t size, std::int64_t most, const ReducerOptions& options)
      : ranks_(ranks),
        size_(size),
        most_(most),
        options_(options),
        buckets_(cut(size, most)),
        finished_(static_cast<std::size_t>(size)),
        kept_(static_cast<std::size_t>(size)),
        reducer_(make_reducer(ranks, size, buckets_, options, divide())) {
    std::int64_t slots = 0;
    std::vector<Reducer::Layout> layouts;
    for (std::int64_t leaves = 1; leaves <= kMostLeaves; ++leaves) {
      const auto count = static_cast<std::int64_t>(nodes(leaves).size());
      slots = std::max(slots, count);
      layouts.push_back({.leaves = leaves, .slots = {}});
      for (std::int64_t i = 0; i < count; ++i) layouts.back().slots.push_back(count - 1 - i);
    }
    reducer_->plan(slots, layouts);
  }

  /// Begins a step of `leaves` without contributions. First waits until the step before the previous one is
  /// done.
  void start(std::int64_t leaves) {
    assign();
    while (!reducer_->may_begin()) poll();
    leaves_of_steps_.push_back(leaves);
    reducer_->begin(leaves);
  }
  /// Buckets in the order of backward.
  [[nodiscard]] std::vector<int> in_order() const {
    std::vector<int> order(buckets_.size());
    std::iota(order.begin(), order.end(), 0);
    return order;
  }
  /// Contributes the buckets of the latest step in `order`, each as soon as possible.
  void contribute(const std::vector<int>& order) {
    const std::vector<Range> mine = nodes(leaves_of_steps_.back());
    for (const int bucket : order) {
      while (!mine.empty() && !reducer_->is_done(bucket)) poll();
      write(mine, buckets_[static_cast<std::size_t>(bucket)]);
      reducer_->contribute(bucket);
      reducer_->poll();
    }
  }
  void begin(std::int64_t leaves) {
    start(leaves);
    contribute(in_order());
  }
  void finish() {
    assign();
    while (!reducer_->is_idle()) poll();
  }

  /// Runs a step with all contributions at once and sleeps around the first poll; EXPECTs the serial sum's
  /// bits.
  void expect_serial_bits_napping(std::int64_t leaves, std::chrono::milliseconds before,
                                  std::chrono::milliseconds after) {
    expect_serial_bits(leaves);
    start(leaves);
    for (const int bucket : in_order()) {
      write(nodes(leaves), buckets_[static_cast<std::size_t>(bucket)]);
      reducer_->contribute(bucket);
    }
    std::this_thread::sleep_for(before);
    reducer_->poll();
    std::this_thread::sleep_for(after);
    finish();
    expect_values(leaves);
  }

  /// Runs a whole step of `leaves`; EXPECTs the serial sum's bits.
  void expect_serial_bits(std::int64_t leaves) {
    begin(leaves);
    finish();
    expect_values(leaves);
  }
  /// EXPECTs the values of a step of `leaves`, and that this rank finished each sum of each step once.
  void expect_values(std::int64_t leaves) {
    compare_values(leaves);
    std::vector<std::int64_t> steps(finished_.size());
    for (const int bucket : in_order()) {
      for (const int owner : reducer_->finishes()) {
        const Range slice = reducer_->slice(bucket, owner);
        for (std::int64_t k = slice.begin; k < slice.end; ++k)
          steps[static_cast<std::size_t>(k)] = static_cast<std::int64_t>(leaves_of_steps_.size());
      }
    }
    EXPECT_EQ(finished_, steps);
    ranks_.barrier();  // do not overwrite values that other ranks of the node still read
  }
  [[nodiscard]] const Reducer& reducer() const { return *reducer_; }
  [[nodiscard]] bool has_leaves(std::int64_t leaves) const { return !nodes(leaves).empty(); }

 private:
  /// With Assignment::kBeforeRelease: completes the latest step, whose buckets are all contributed.
  void assign() {
    if (options_.assignment != Assignment::kBeforeRelease || assigned_steps_ == leaves_of_steps_.size())
      return;
    while (!reducer_->has_all_sums()) poll();
    for (const int bucket : in_order()) {
      for (const int owner : reducer_->finishes()) {
        const Range slice = reducer_->slice(bucket, owner);
        for (std::int64_t k = slice.begin; k < slice.end; ++k)
          reducer_->values()[static_cast<std::size_t>(k)] = kept_[static_cast<std::size_t>(k)] / kDivisor;
      }
    }
    assigned_steps_ = leaves_of_steps_.size();
    reducer_->release();
  }
  void poll() {
    reducer_->poll();
    std::this_thread::yield();  // more ranks than cores
  }
  void compare_values(std::int64_t leaves) {
    const std::vector<float>& sums = sums_of(leaves);
    for (std::size_t k = 0; k < sums.size(); ++k)
      ASSERT_EQ(bits(reducer_->values()[k]), bits(sums[k] / kDivisor))
          << leaves << " leaves, element " << k << " of " << size_;
  }
  void write(const std::vector<Range>& mine, const Range& elements) {
    for (std::size_t i = 0; i < mine.size(); ++i) {
      for (std::int64_t k = elements.begin; k < elements.end; ++k)
        reducer_->slot(static_cast<std::int64_t>(mine.size() - 1 - i))[k] = value(mine[i], k);
    }
  }
  Reducer::Finish divide() {
    return [this](std::int64_t step, int bucket, const Range& elements, const float* sum) {
      const Range& all = buckets_.at(static_cast<std::size_t>(bucket));
      ASSERT_TRUE(all.begin <= elements.begin && elements.end <= all.end);
      const std::vector<float>& sums = sums_of(leaves_of_steps_.at(static_cast<std::size_t>(step)));
      for (std::int64_t k = elements.begin; k < elements.end; ++k) {
        const auto at = static_cast<std::size_t>(k);
        ASSERT_EQ(bits(sum[k - elements.begin]), bits(sums[at])) << "step " << step << ", element " << k;
        ASSERT_EQ(finished_[at]++, step) << "element " << k;
        if (options_.assignment == Assignment::kBeforeRelease) {
          kept_[at] = sum[k - elements.begin];
        } else {
          reducer_->values()[at] = sum[k - elements.begin] / kDivisor;
        }
      }
    };
  }
  [[nodiscard]] std::vector<Range> nodes(std::int64_t leaves) const {
    return maximal_nodes(leaf_block(leaves, ranks_.size(), ranks_.rank()), leaves);
  }
  [[nodiscard]] float value(const Range& node, std::int64_t k) const {
    return node_value(node, k, wire(k),
                      options_.reduction == Reduction::kMpi ? whole_leaf_value : leaf_value);
  }
  const std::vector<float>& sums_of(std::int64_t leaves) {
    std::vector<float>& sums = sums_[leaves];
    for (auto k = static_cast<std::int64_t>(sums.size()); k < size_; ++k)
      sums.push_back(value({0, leaves}, k));
    return sums;
  }
  /// Format of element k: equal within a bucket.
  [[nodiscard]] Wire wire(std::int64_t k) const {
    const std::int64_t begin = std::max<std::int64_t>(0, size_ - ((size_ - 1 - k) / most_ + 1) * most_);
    return begin >= options_.exact_from ? Wire::kFloat32 : options_.wire;
  }
  Communicator ranks_;
  std::int64_t size_;
  std::int64_t most_;
  ReducerOptions options_;
  std::vector<Range> buckets_;
  std::vector<std::int64_t> leaves_of_steps_;
  std::vector<std::int64_t> finished_;  // by element: number of sums received
  std::vector<float> kept_;             // by element: the latest sum, until assigned
  std::size_t assigned_steps_ = 0;
  std::map<std::int64_t, std::vector<float>> sums_;  // by leaves: sum over all ranks
  std::unique_ptr<Reducer> reducer_;
};

/// All strategies: MPI, and the tree with all its options. Values are assigned at once.
std::vector<ReducerOptions> ways_to_add() {
  std::vector<ReducerOptions> ways = {{.reduction = Reduction::kMpi}};
  for (const NodeMemory memory : {NodeMemory::kShared, NodeMemory::kPrivate}) {
    for (const Updates updates : {Updates::kByOwners, Updates::kEverywhere}) {
      for (const Wire wire : {Wire::kFloat32, Wire::kBfloat16})
        ways.push_back({.wire = wire, .exact_from = 60, .memory = memory, .updates = updates});
    }
  }
  return ways;
}

/// ways_to_add(), each also with slices of whole grains whose values are assigned later.
std::vector<ReducerOptions> all_ways() {
  std::vector<ReducerOptions> ways = ways_to_add();
  for (ReducerOptions way : ways_to_add()) {
    way.grain = 8;
    way.assignment = Assignment::kBeforeRelease;
    ways.push_back(way);
  }
  return ways;
}

std::string name_of(const ReducerOptions& way) {
  const std::string when = way.assignment == Assignment::kBeforeRelease ? "later: " : "at once: ";
  if (way.reduction == Reduction::kMpi) return when + "MPI's sum";
  return when + "the tree's sum, " + (way.wire == Wire::kBfloat16 ? "bfloat16, " : "float32, ") +
         (way.memory == NodeMemory::kShared ? "shared memory, " : "private memory, ") +
         (way.updates == Updates::kByOwners ? "updates by owners" : "updates everywhere");
}

TEST(Reducer, HasTheSerialTreesBitsForAnyNumberOfLeavesAndAnyBuckets) {
  constexpr std::int64_t kSize = 103;  // not a multiple of any number of ranks
  for (const ReducerOptions& way : all_ways()) {
    SCOPED_TRACE(name_of(way));
    for (const std::int64_t buckets : {1, 4}) {
      Ranks ranks(world(), kSize, (kSize + buckets - 1) / buckets, way);
      for (std::int64_t leaves = 1; leaves <= kMostLeaves; ++leaves) ranks.expect_serial_bits(leaves);
    }
    Ranks(world(), kSize, 1, way).expect_serial_bits(kMostLeaves);  // more buckets than can be in flight
  }
}

TEST(Reducer, OneRankMayBeFarAheadOfTheOthers) {
  // Rank 0 receives the parts of all buckets from all ranks, more than its posted receives, but no values.
  using std::chrono::milliseconds;
  const bool is_ahead = world().rank() == 0;
  for (const ReducerOptions& way : all_ways())
    Ranks(world(), 80, 1, way)
        .expect_serial_bits_napping(9, milliseconds(is_ahead ? 20 : 0), milliseconds(is_ahead ? 0 : 60));
}

TEST(Reducer, TheTestsNumbersSeeTheOrderOfAdditions) {
  // Otherwise the test above would accept any order.
  int differing = 0;
  for (std::int64_t k = 0; k < 103; ++k) {
    float forward = leaf_value(0, k);
    for (std::int64_t leaf = 1; leaf < kMostLeaves; ++leaf) forward += leaf_value(leaf, k);
    differing += bits(forward) != bits(node_value({0, kMostLeaves}, k)) ? 1 : 0;
  }
  EXPECT_GT(differing, 10);
}

TEST(Reducer, WorksOnVectorsShorterThanTheNumberOfRanks) {
  for (const ReducerOptions& way : all_ways()) {
    for (const std::int64_t size : {1, 2, 3, 4}) Ranks(world(), size, size, way).expect_serial_bits(5);
  }
}

TEST(Reducer, RanksWithoutLeavesTakePartAndGetTheResult) {
  for (const ReducerOptions& way : all_ways())
    Ranks(world(), 17, 5, way).expect_serial_bits(1);  // only rank 0 has a leaf
}

TEST(Reducer, PartsOfASplitWorldReduceIndependently) {
  const Communicator part = world().split(world().rank() % 2);
  for (const ReducerOptions& way : all_ways()) {
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
  for (const ReducerOptions& way : all_ways()) {
    SCOPED_TRACE(name_of(way));
    Ranks ranks(world(), 101, 13, way);
    for (int turn = 0; turn < 8; ++turn) ranks.begin(turn % 2 == 0 ? 7 : 12);
    ranks.finish();
    ranks.expect_values(12);
  }
}

TEST(Reducer, BucketsMayBeContributedInAnyOrder) {
  for (const ReducerOptions& way : all_ways()) {
    SCOPED_TRACE(name_of(way));
    Ranks ranks(world(), 101, 13, way);
    std::vector<int> order = ranks.in_order();
    for (const std::int64_t leaves : {9, 12, 1, 21}) {
      std::reverse(order.begin(), order.end());
      std::rotate(order.begin(), order.begin() + 1 + world().rank(),
                  order.end());  // a different order on each rank
      ranks.start(leaves);
      ranks.contribute(order);
    }
    ranks.finish();
    ranks.expect_values(21);
  }
}

TEST(Reducer, NothingIsSummedBeforeTheBucketsBeforeIt) {
  for (const ReducerOptions& way : all_ways()) {
    SCOPED_TRACE(name_of(way));
    Ranks ranks(world(), 40, 10, way);
    ranks.start(8);
    const std::int64_t moves = ranks.reducer().moves();
    ranks.contribute({3, 2, 1});
    EXPECT_EQ(ranks.reducer().moves(), moves + 3);  // only contributed
    world().barrier();
    ranks.contribute({0});
    ranks.finish();
    ranks.expect_values(8);
  }
}

TEST(Reducer, TwoStepsUnderWayKeepApart) {
  // Rank 0 contributes to the first step only after the others have begun the second. Ranks without leaves
  // have contributed to the second step by then.
  for (const ReducerOptions& way : ways_to_add()) {
    SCOPED_TRACE(name_of(way));
    // MPI reads a long bucket in place until the other ranks have received it.
    const std::int64_t bucket = way.reduction == Reduction::kMpi ? 20000 : 13;
    Ranks ranks(world(), 3 * bucket + 1, bucket, way);
    const std::vector<int> order = ranks.in_order();
    for (const auto& [first, second] : {std::pair{12, 7}, {7, 12}, {12, 1}, {1, 12}, {2, 1}, {1, 2}}) {
      const bool is_late = world().rank() == 0;
      if (is_late) world().barrier();
      ranks.start(first);
      ranks.contribute(order);
      ranks.start(second);
      const bool contributes_early = !is_late && !ranks.has_leaves(second);
      if (contributes_early) ranks.contribute(order);
      if (!is_late) world().barrier();
      if (!contributes_early) ranks.contribute(order);
      ranks.finish();
      ranks.expect_values(second);
    }
  }
}

struct Traffic {
  double sent_bytes_per_rank = 0;  ///< measured average
  double bound = 0;                ///< (f+1)·(P−1)/P times the gradient's bytes
  double gather_at_root = 0;       ///< bytes through rank 0 if it gathered all and sent the sum back
};

Traffic traffic_of(std::int64_t leaves) {
  constexpr std::int64_t kSize = 960;  // a multiple of 1 to 5: equal slices
  constexpr double kBytes = kSize * sizeof(float);
  Ranks step(world(), kSize, kSize, {.memory = NodeMemory::kPrivate});  // every rank as if on its own host
  step.expect_serial_bits(leaves);
  double sent = 0;
  for (const std::int64_t each : world().all_gather_values(std::vector{step.reducer().bytes_sent()}))
    sent += static_cast<double>(each);
  const int ranks = world().size();
  double nodes = 0;
  double foreign = 0;  // tree nodes on ranks other than 0
  for (int rank = 0; rank < ranks; ++rank) {
    const auto held = static_cast<double>(maximal_nodes(leaf_block(leaves, ranks, rank), leaves).size());
    nodes += held;
    if (rank > 0) foreign += held;
  }
  return {.sent_bytes_per_rank = sent / ranks,
          .bound = (nodes / ranks + 1) * (ranks - 1) / ranks * kBytes,
          .gather_at_root = (foreign + ranks - 1) * kBytes};
}

// The bound is exact; only the rounding of averages is allowed.
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
  const Ranks ranks(world(), 64, 64, {.memory = NodeMemory::kPrivate});
  const PartialSums sums = ranks.reducer().partial_sums(kLeaves);
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
  // Here the busiest rank counts, because a step waits for it: bytes received and sent by rank 0, against
  // both directions of the bound.
  if (world().size() < 3) GTEST_SKIP() << "with 1 or 2 ranks both ways send the same";
  for (std::int64_t leaves = world().size(); leaves <= kMostLeaves; ++leaves) {
    const Traffic traffic = traffic_of(leaves);
    EXPECT_GT(traffic.gather_at_root, 2 * traffic.bound) << leaves << " leaves";
  }
}

TEST(ReducerTraffic, NoRankSendsMoreThanItsOwnNodesAndSlice) {
  // The bound also holds for the busiest rank: (its nodes + 1)·(P−1)/P gradients; P divides the size here.
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
    Ranks step(world(), 960, 960, {.wire = wire, .memory = NodeMemory::kPrivate, .updates = updates});
    step.expect_serial_bits(16);
    return step.reducer().bytes_sent();
  };
  const std::int64_t values = std::int64_t{960} * 4 / world().size() * (world().size() - 1);
  const std::int64_t all = sent(Wire::kFloat32, Updates::kByOwners);
  EXPECT_EQ(2 * (sent(Wire::kBfloat16, Updates::kByOwners) - values), all - values);
  EXPECT_EQ(2 * sent(Wire::kBfloat16, Updates::kEverywhere), all);
}

TEST(Reducer, EveryRankFinishesAllOfAnMpiSum) {
  const Ranks ranks(world(), 103, 20, {.reduction = Reduction::kMpi});
  EXPECT_EQ(ranks.reducer().nodes(), world().size());
  EXPECT_EQ(ranks.reducer().finishes().size(), static_cast<std::size_t>(world().size()));
}

TEST(ReducerTraffic, RanksOfOneNodeSendNothing) {
  Ranks step(world(), 960, 100, {.memory = NodeMemory::kShared});
  step.expect_serial_bits(8);
  EXPECT_EQ(step.reducer().bytes_sent(), 0);
}

}  // namespace
}  // namespace convoy::comm
