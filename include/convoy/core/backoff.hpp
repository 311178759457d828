#pragma once
// Waits for another thread or process by polling.

#include <algorithm>
#include <chrono>
#include <thread>

namespace convoy {

/// Spins 256 times, yields 64 times, then sleeps, so that waiting ranks leave the cores to computing ranks if
/// there are more ranks than cores. Each sleep is 1/16 longer than the last, up to 1 ms. A wait overshoots by
/// at most 1/16 of its length, or 1 ms.
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
