#include "requests.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace convoy::train {
namespace {

class RequestsTest : public testing::Test {
 protected:
  void ask(Request request) { asked_ = static_cast<int>(request); }

  test::ManualClock clock_;
  Deadline deadline_{clock_.now(), 100, 0, clock_};
  std::atomic<int> asked_{static_cast<int>(Request::kNothing)};
  Requests requests_{&asked_, deadline_};
};

TEST_F(RequestsTest, AreNothingIfNobodyAsked) {
  EXPECT_EQ(requests_.own(), Request::kNothing);
}

TEST_F(RequestsTest, AreNothingIfNobodyCanAsk) {
  Requests requests(nullptr, deadline_);
  EXPECT_EQ(requests.own(), Request::kNothing);
}

TEST_F(RequestsTest, ACheckpointIsAskedForOnce) {
  ask(Request::kCheckpoint);
  EXPECT_EQ(requests_.own(), Request::kCheckpoint);
  EXPECT_EQ(requests_.own(), Request::kNothing);
}

TEST_F(RequestsTest, ARequestToLeaveStays) {
  ask(Request::kLeave);
  EXPECT_EQ(requests_.own(), Request::kLeave);
  EXPECT_EQ(requests_.own(), Request::kLeave);
}

TEST_F(RequestsTest, TheDeadlineAsksToLeave) {
  clock_.advance(99.9);
  EXPECT_EQ(requests_.own(), Request::kLeave);
  ask(Request::kCheckpoint);
  EXPECT_EQ(requests_.own(), Request::kLeave);
}

TEST_F(RequestsTest, TheDeadlineAsksIfNobodyElseCan) {
  Requests requests(nullptr, deadline_);
  clock_.advance(99.9);
  EXPECT_EQ(requests.own(), Request::kLeave);
}

TEST_F(RequestsTest, ARankAloneAgreesWithItself) {
  ask(Request::kCheckpoint);
  EXPECT_EQ(requests_.agree(comm::Communicator::self()), Request::kCheckpoint);
  EXPECT_EQ(requests_.agree(comm::Communicator::self()), Request::kNothing);
}

}  // namespace
}  // namespace convoy::train
