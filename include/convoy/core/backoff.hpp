#pragma once
// Waiting for something that another thread or process does.

#include <algorithm>
#include <chrono>
#include <thread>

namespace convoy {

/// Spins first, for who is nearly there; then gives way; and sleeps in between once it takes long, so that
/// waiting ranks leave the cores to computing ones where there are more of them than cores. Each sleep is
/// about a sixteenth of the time slept so far, so that is what a wait can take too long; at most a
/// millisecond.
class Backoff {
 public:
  void wait() {
    constexpr int kSpins = 256;
    constexpr int kYields = 64;
    constexpr std::chrono::nanoseconds kLongest = std::chrono::milliseconds(1);
    if (count_ < kSpins + kYields) {
      if (++count_ >= kSpins) std::this_thread::yield();
      return;
    }
    std::this_thread::sleep_for(nap_);
    nap_ = std::min(nap_ + nap_ / 16, kLongest);
  }

 private:
  int count_ = 0;
  std::chrono::nanoseconds nap_ = std::chrono::microseconds(50);
};

}  // namespace convoy
