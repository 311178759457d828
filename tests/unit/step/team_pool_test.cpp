#include "convoy/step/team_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace convoy::step {
namespace {

TEST(TeamPool, MakesOncePerTeamOnTheThreadThatComesFirstInIt) {
  TeamPool pool(3);
  std::vector<int> made(2);
  std::vector<std::thread::id> makers(2);
  pool.make(2, [&](std::int64_t g) {
    ++made[static_cast<std::size_t>(g)];
    makers[static_cast<std::size_t>(g)] = std::this_thread::get_id();
  });
  EXPECT_EQ(made, (std::vector<int>{1, 1}));
  pool.run(2, [&](std::int64_t g, const Team& team) {
    const bool is_maker = makers[static_cast<std::size_t>(g)] == std::this_thread::get_id();
    EXPECT_EQ(is_maker, team.index() == 0);
  });
}

std::atomic<int> entered{0};
thread_local bool is_prepared = false;

TEST(TeamPool, HasEveryThreadPreparedWhenItEntersARegion) {
  TeamPool pool(3, [] {
    ++entered;
    is_prepared = true;
  });
  std::atomic<int> prepared{0};
  for (int region = 1; region <= 2; ++region) {
    pool.run(2, [&](std::int64_t, const Team&) {
      prepared += is_prepared ? 1 : 0;
      is_prepared = false;
    });
    EXPECT_EQ(entered, 3 * region);
    EXPECT_EQ(prepared, 3 * region);
  }
}

TEST(TeamPool, ThrowsWhatTheFirstGroupThrewAfterAllAreDone) {
  TeamPool pool(3);
  std::vector<int> made(3);
  try {
    pool.make(3, [&](std::int64_t g) {
      made[static_cast<std::size_t>(g)] = 1;
      if (g > 0) throw std::runtime_error(std::to_string(g));
    });
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "1");
  }
  EXPECT_EQ(made, (std::vector<int>{1, 1, 1}));
}

}  // namespace
}  // namespace convoy::step
