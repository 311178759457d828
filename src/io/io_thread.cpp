#include "convoy/io/io_thread.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "convoy/core/floating_point.hpp"
#include "convoy/core/places.hpp"

namespace convoy::io {

IoThread::IoThread() : thread_([this] { work(); }) {}

IoThread::~IoThread() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void IoThread::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void IoThread::finish() {
  const auto done = std::make_shared<std::promise<void>>();
  const std::future<void> is_done = done->get_future();
  post([done] { done->set_value(); });
  is_done.wait();
}

void IoThread::add(PollTask* poll_task) {
  {
    const std::lock_guard lock(mutex_);
    chores_.push_back(poll_task);
    is_awake_ = true;
  }
  changed_.notify_all();
}

void IoThread::remove(PollTask* poll_task) {
  std::unique_lock lock(mutex_);
  std::erase(chores_, poll_task);
  changed_.wait(lock, [&] { return under_way_ != poll_task; });
}

void IoThread::wake() {
  {
    const std::lock_guard lock(mutex_);
    is_awake_ = true;
  }
  changed_.notify_all();
}

bool IoThread::advance_chores(std::unique_lock<std::mutex>& lock) {
  bool did_something = false;
  const std::vector<PollTask*> chores = chores_;
  for (PollTask* poll_task : chores) {
    // The task may have been removed, and destroyed, in the meantime.
    if (!tasks_.empty() || std::ranges::find(chores_, poll_task) == chores_.end()) continue;
    under_way_ = poll_task;
    lock.unlock();
    did_something = poll_task->advance() || did_something;
    lock.lock();
    under_way_ = nullptr;
    changed_.notify_all();
  }
  return did_something;
}

void IoThread::work() {
  leave_first_place();
  set_floating_point_mode();
  // Other processes cannot notify this condition variable (they fill shared buffers), so poll every 3 ms.
  constexpr std::chrono::milliseconds kNap(3);
  std::unique_lock lock(mutex_);
  while (true) {
    if (!tasks_.empty()) {
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
      continue;
    }
    if (is_ending_) return;
    is_awake_ = false;
    if (!chores_.empty() && advance_chores(lock)) continue;
    const auto is_wanted = [this] { return is_awake_ || is_ending_ || !tasks_.empty(); };
    if (chores_.empty()) {
      changed_.wait(lock, is_wanted);
    } else {
      changed_.wait_for(lock, kNap, is_wanted);
    }
  }
}

}  // namespace convoy::io
