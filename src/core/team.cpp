#include "convoy/core/team.hpp"

#include <thread>

namespace convoy {

void Barrier::wait() noexcept {
  const std::uint32_t generation = generation_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    arrived_.store(0, std::memory_order_relaxed);
    generation_.fetch_add(1, std::memory_order_acq_rel);
    return;
  }
  constexpr int kSpins = 4096;
  int spins = 0;
  while (generation_.load(std::memory_order_acquire) == generation) {
    if (++spins > kSpins) std::this_thread::yield();
  }
}

}  // namespace convoy
