#include "convoy/launch/overseer.hpp"

#include <utility>

namespace convoy::launch {

Overseer::Overseer(double seconds, End end)
    : seconds_(seconds), end_(std::move(end)), thread_([this] { watch(); }) {}

Overseer::~Overseer() {
  {
    const std::lock_guard lock(mutex_);
    is_leaving_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Overseer::enter(const std::string& what) {
  {
    const std::lock_guard lock(mutex_);
    what_ = what;
    deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(seconds_);
  }
  changed_.notify_all();
}

void Overseer::watch() {
  std::unique_lock lock(mutex_);
  while (!is_leaving_) {
    if (deadline_ == Clock::time_point::max()) {
      changed_.wait(lock);
    } else if (Clock::now() < deadline_) {
      changed_.wait_until(lock, deadline_);
    } else {
      const std::string what = what_;
      deadline_ = Clock::time_point::max();
      lock.unlock();
      end_(what);
      lock.lock();
    }
  }
}

}  // namespace convoy::launch
