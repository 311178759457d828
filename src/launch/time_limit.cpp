#include "convoy/launch/time_limit.hpp"

#include <utility>

namespace convoy::launch {

TimeLimit::TimeLimit(double seconds, End end, const Clock& clock)
    : seconds_(seconds), end_(std::move(end)), clock_(clock), thread_([this] { watch(); }) {}

TimeLimit::~TimeLimit() {
  {
    const std::lock_guard lock(mutex_);
    is_leaving_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void TimeLimit::enter(const std::string& what) {
  {
    const std::lock_guard lock(mutex_);
    what_ = what;
    ++entered_;
    deadline_ = clock_.now() + std::chrono::ceil<Clock::TimePoint::duration>(seconds_);
  }
  changed_.notify_all();
}

void TimeLimit::watch() {
  std::unique_lock lock(mutex_);
  while (!is_leaving_) {
    const auto is_over = [this, seen = entered_] { return is_leaving_ || entered_ != seen; };
    if (!deadline_) {
      changed_.wait(lock, is_over);
    } else if (!clock_.wait_for(lock, changed_, *deadline_ - clock_.now(), is_over)) {
      const std::string what = what_;
      deadline_.reset();
      lock.unlock();
      end_(what);
      lock.lock();
    }
  }
}

}  // namespace convoy::launch
