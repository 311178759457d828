#include "convoy/comm/communicator.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <utility>

#include "convoy/comm/rendezvous.hpp"
#include "convoy/core/aligned.hpp"
#include "world.hpp"

namespace convoy::comm {
namespace {

using test::world;

/// The world, and its two halves of even and odd ranks.
std::vector<Communicator> groups() {
  return {world(), world().split(world().rank() % 2), Communicator::self()};
}

TEST(Communicator, BroadcastsTextOfAnyLengthFromAnyRank) {
  for (const Communicator& ranks : groups()) {
    for (int root = 0; root < ranks.size(); ++root) {
      const auto length = static_cast<std::size_t>(root) * 1000;
      const std::string text(length, static_cast<char>('a' + root));
      EXPECT_EQ(ranks.broadcast(ranks.rank() == root ? text : "of no matter", root), text);
      EXPECT_EQ(ranks.broadcast_value(ranks.rank() * 7, root), root * 7);
    }
  }
}

TEST(Communicator, GathersListsOfDifferentLengthsInRankOrderOnEveryRank) {
  for (const Communicator& ranks : groups()) {
    // Rank r contributes r numbers: rank 0 none.
    std::vector<std::int64_t> mine(static_cast<std::size_t>(ranks.rank()));
    std::iota(mine.begin(), mine.end(), 100 * ranks.rank());
    std::vector<std::int64_t> expected;
    for (int rank = 0; rank < ranks.size(); ++rank)
      for (int i = 0; i < rank; ++i) expected.push_back(100 * rank + i);
    EXPECT_EQ(ranks.all_gather_values(mine), expected);
  }
}

TEST(Communicator, GathersTextsByRank) {
  for (const Communicator& ranks : groups()) {
    const std::vector<std::string> texts =
        ranks.all_gather_text(std::string(static_cast<std::size_t>(ranks.rank()), 'x'));
    ASSERT_EQ(texts.size(), static_cast<std::size_t>(ranks.size()));
    for (std::size_t rank = 0; rank < texts.size(); ++rank) EXPECT_EQ(texts[rank], std::string(rank, 'x'));
  }
}

TEST(Communicator, GathersInTurnAtTheRoot) {
  for (const Communicator& ranks : groups()) {
    // Rank r contributes 100,000·r bytes: rank 0 none, the others more than an eager message.
    const auto mine_of = [](int rank) {
      return std::vector<std::byte>(100'000 * static_cast<std::size_t>(rank),
                                    static_cast<std::byte>(rank + 1));
    };
    std::vector<int> order;
    for (int round = 0; round < 3; ++round) {
      order.clear();
      ranks.gather_in_turn(mine_of(ranks.rank()), [&](int rank, std::span<const std::byte> bytes) {
        order.push_back(rank);
        const std::vector<std::byte> expected = mine_of(rank);
        EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), expected.begin(), expected.end()));
      });
    }
    std::vector<int> expected(ranks.is_root() ? static_cast<std::size_t>(ranks.size()) : 0);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(order, expected);
  }
}

TEST(Communicator, GathersEqualPartsInRankOrder) {
  for (const Communicator& ranks : groups()) {
    const std::vector<double> mine{ranks.rank() + 0.25, ranks.rank() + 0.5};
    std::vector<double> all(2 * static_cast<std::size_t>(ranks.size()));
    ranks.all_gather_equal<double>(mine, all);
    for (int rank = 0; rank < ranks.size(); ++rank) {
      EXPECT_EQ(all[2 * static_cast<std::size_t>(rank)], rank + 0.25);
      EXPECT_EQ(all[2 * static_cast<std::size_t>(rank) + 1], rank + 0.5);
    }
  }
}

TEST(Communicator, SplitsByColourInTheOrderOfTheParentsRanks) {
  const Communicator part = world().split(world().rank() % 2);
  EXPECT_EQ(part.rank(), world().rank() / 2);
  EXPECT_EQ(part.size(), (world().size() + (world().rank() % 2 == 0 ? 1 : 0)) / 2);
  // The halves do not receive each other's messages.
  EXPECT_EQ(part.broadcast_value(world().rank()), world().rank() % 2);
  const Communicator alone = part.split(part.rank());
  EXPECT_EQ(alone.size(), 1);
  EXPECT_EQ(alone.split(0).size(), 1);
}

TEST(Communicator, SelfIsOneRankInEveryProcess) {
  const Communicator self = Communicator::self();
  EXPECT_EQ(self.size(), 1);
  EXPECT_TRUE(self.is_root());
  EXPECT_EQ(self.all_gather_values(std::vector{world().rank()}), std::vector{world().rank()});
}

TEST(Communicator, RanksOfThisTestShareOneNode) {
  EXPECT_EQ(world().node().size(), world().size());  // the test runs on one host
}

TEST(NodeSharedMemory, WhatEachRankWritesAllSeeAfterTheFence) {
  const Communicator node = world().node();
  constexpr std::int64_t kEach = 1000;
  const NodeSharedMemory memory(node, kEach * node.size());
  ASSERT_EQ(static_cast<std::int64_t>(memory.bytes().size()), kEach * node.size());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.bytes().data()) % kAlignment, 0U);
  for (const int round : {1, 2}) {
    const auto mine = memory.bytes().subspan(static_cast<std::size_t>(kEach * node.rank()), kEach);
    std::fill(mine.begin(), mine.end(), static_cast<std::byte>(round * 10 + node.rank()));
    memory.fence();
    for (std::int64_t i = 0; i < kEach * node.size(); ++i)
      ASSERT_EQ(memory.bytes()[static_cast<std::size_t>(i)], static_cast<std::byte>(round * 10 + i / kEach));
    memory.fence();
  }
}

TEST(NodeSharedMemory, MayBeEmptyAndMoved) {
  NodeSharedMemory first(world().node(), 0);
  EXPECT_TRUE(first.bytes().empty());
  NodeSharedMemory second(world().node(), 64);
  first = std::move(second);
  EXPECT_EQ(first.bytes().size(), 64U);
  first.fence();
}

TEST(Meeting, EndsWellOnceEveryRankHasCome) {
  constexpr double kPlentySeconds = 60;
  const Meeting meeting = meet(Communicator::world(), kPlentySeconds);
  EXPECT_TRUE(meeting.is_complete);
  EXPECT_EQ(meeting.first, 0);
}

}  // namespace
}  // namespace convoy::comm
