#pragma once
// A clock that only tests advance.

#include <algorithm>
#include <vector>

#include "convoy/core/clock.hpp"

namespace convoy::test {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }

  bool wait_for(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, Seconds most,
                const std::function<bool()>& is_over) const override {
    Waiter waiter{lock.mutex(), &changed, {}};
    {
      const std::lock_guard own(mutex_);
      waiter.until = now_ + std::chrono::ceil<TimePoint::duration>(most);
      waiters_.push_back(&waiter);
    }
    turn_.notify_all();
    changed.wait(lock, [&] { return is_over() || now() >= waiter.until; });
    const std::lock_guard own(mutex_);
    std::erase(waiters_, &waiter);
    return is_over();
  }

  /// Wakes threads whose wait ends. Waiting threads must outlive the call.
  void advance(double seconds) {
    std::vector<Waiter> waiters;
    {
      const std::lock_guard lock(mutex_);
      now_ += std::chrono::round<TimePoint::duration>(Seconds(seconds));
      for (const Waiter* each : waiters_) waiters.push_back(*each);
    }
    for (const Waiter& each : waiters) {
      // A thread holds this mutex from its read of the clock until it sleeps, so the notification comes
      // later.
      { const std::lock_guard lock(*each.mutex); }
      each.changed->notify_all();
    }
  }

  /// Blocks until a thread waits for a future time, that is, has finished its work for the present time.
  /// Returns false at once after give_up().
  [[nodiscard]] bool await_sleeper() const {
    std::unique_lock lock(mutex_);
    turn_.wait(lock, [this] {
      return has_given_up_ ||
             std::ranges::any_of(waiters_, [this](const Waiter* each) { return each->until > now_; });
    });
    return !has_given_up_;
  }
  /// Called if no thread will wait again.
  void give_up() {
    {
      const std::lock_guard lock(mutex_);
      has_given_up_ = true;
    }
    turn_.notify_all();
  }

 private:
  struct Waiter {
    std::mutex* mutex;
    std::condition_variable* changed;
    TimePoint until;
  };
  mutable std::mutex mutex_;
  mutable std::condition_variable turn_;  // a thread started to wait, or give_up() was called
  mutable std::vector<Waiter*> waiters_;
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
  bool has_given_up_ = false;
};

}  // namespace convoy::test
