#include "convoy/measure/median_step.hpp"

#include <chrono>
#include <vector>

#include "convoy/core/median.hpp"

namespace convoy::measure {

double median_step(const comm::Communicator& world, double seconds, const std::function<void()>& step) {
  using Clock = std::chrono::steady_clock;
  constexpr int kFewestSteps = 5;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  std::vector<double> laps;
  const Clock::time_point begin = Clock::now();
  do {  // check only every few steps, because the check is a collective
    Clock::time_point start = Clock::now();
    for (int i = 0; i < kFewestSteps; ++i) {
      step();
      laps.push_back(since(start));
      start = Clock::now();
    }
  } while (world.broadcast_value(since(begin) < seconds));
  return world.broadcast_value(median(laps));
}

}  // namespace convoy::measure
