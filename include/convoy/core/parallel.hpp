#pragma once
// Parallel regions outside the steps, whose threads are a step::TeamPool's. `work` must not throw, and its
// result must not depend on the thread.

#include <cstdint>
#include <functional>

namespace convoy {

/// Calls work() on each of `threads` OpenMP threads, in the mode of FloatingPointMode. Threads that the
/// region creates start in the standard mode and keep it otherwise: they later serve the program's regions.
void on_threads(int threads, const std::function<void()>& work);

/// How the indices of a loop are shared out.
enum class Shares {
  kEqual,   ///< one stretch of indices per thread
  kInTurn,  ///< the next index to the first free thread: for work of unequal size
};

/// Calls work(i) for each i of [0, count) on_threads().
void parallel_for(int threads, std::int64_t count, Shares shares,
                  const std::function<void(std::int64_t i)>& work);

}  // namespace convoy
