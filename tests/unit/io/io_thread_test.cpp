#include "convoy/io/io_thread.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

namespace convoy::io {
namespace {

/// A poll task that counts its parts, as long as there are any.
class Counting : public IoThread::PollTask {
 public:
  bool advance() noexcept override {
    if (left <= 0) return false;
    --left;
    ++done;
    return true;
  }
  std::atomic<int> left{0};
  std::atomic<int> done{0};
};

void wait_for(const std::function<bool()>& condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(IoThread, DoesTasksInOrderOnOneThreadAndAllOfThemBeforeItEnds) {
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  {
    IoThread thread;
    for (int i = 0; i < 100; ++i) {
      thread.post([&, i] {
        order.push_back(i);
        threads.push_back(std::this_thread::get_id());
      });
    }
  }
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  for (const std::thread::id id : threads) EXPECT_EQ(id, threads.front());
  EXPECT_NE(threads.front(), std::this_thread::get_id());
}

TEST(IoThread, FinishesWhatWasPosted) {
  IoThread thread;
  bool is_done = false;
  thread.post([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    is_done = true;
  });
  thread.finish();
  EXPECT_TRUE(is_done);
}

TEST(IoThread, ChoresGoOnWhenTheyAreWokenAndTasksComeBetweenTheirParts) {
  Counting poll_task;
  IoThread thread;
  thread.add(&poll_task);
  poll_task.left = 10;
  thread.wake();
  wait_for([&] { return poll_task.done == 10; });
  poll_task.left = 1'000'000'000;
  thread.wake();
  std::promise<void> task;
  thread.post([&] { task.set_value(); });
  task.get_future().wait();  // tasks run although the poll task never ends
  thread.remove(&poll_task);
  const int done = poll_task.done;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(poll_task.done, done) << "went on after remove()";
}

TEST(IoThread, AChoreMayBeRemovedWhileAnotherIsUnderWay) {
  Counting busy;
  busy.left = 1'000'000'000;
  IoThread thread;
  thread.add(&busy);
  for (int i = 0; i < 100; ++i) {
    Counting brief;
    brief.left = 3;
    thread.add(&brief);
    thread.remove(&brief);
  }
  wait_for([&] { return busy.done > 0; });
  thread.remove(&busy);
}

}  // namespace
}  // namespace convoy::io
