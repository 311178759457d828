#pragma once
// Waiting for something that another thread or process does.

#include <chrono>
#include <thread>

namespace convoy {

/// Spins first, for who is nearly there; then gives way; and sleeps in between once it takes long, so that
/// waiting ranks leave the cores to computing ones where there are more of them than cores.
class Patience {
 public:
  void wait() {
    constexpr int kSpins = 256;
    constexpr int kYields = 1024;
    ++count_;
    if (count_ < kSpins) return;
    if (count_ < kSpins + kYields) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }

 private:
  int count_ = 0;
};

}  // namespace convoy
