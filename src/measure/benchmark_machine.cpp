// Measures the peak speed of cores and memory.

#include <unistd.h>

#include <algorithm>
#include <vector>

#include "convoy/core/aligned.hpp"
#include "convoy/core/layout.hpp"
#include "convoy/measure/benchmark.hpp"
#include "convoy/measure/team_timer.hpp"
#include "convoy/step/team_pool.hpp"

namespace convoy::measure {
namespace {

/// One thread's arrays, first written by that thread.
struct TriadArrays {
  AlignedBuffer<float> a, b, dst;
};

}  // namespace

std::int64_t triad_bytes() {
  constexpr std::int64_t kMebibyte = 1 << 20;
  std::int64_t cache = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
  cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
  return std::clamp(4 * cache, 32 * kMebibyte, 256 * kMebibyte);
}

Ceiling measure_ceiling(const kernels::KernelTable<float>& kernels, int threads, double seconds,
                        std::int64_t array_bytes) {
  constexpr std::int64_t kRounds = 1 << 16;  // much longer than a barrier
  const std::int64_t size =
      array_bytes / static_cast<std::int64_t>(sizeof(float)) / threads / kLanes * kLanes;
  step::TeamPool pool(threads, kernels.enter_thread);
  TeamTimer clock;
  Ceiling ceiling;
  std::vector<TriadArrays> arrays(static_cast<std::size_t>(threads));
  pool.make(threads, [&](std::int64_t thread) {
    arrays[static_cast<std::size_t>(thread)] = {AlignedBuffer<float>(size), AlignedBuffer<float>(size),
                                                AlignedBuffer<float>(size)};
  });
  pool.run(1, [&](std::int64_t, const Team& team) {
    float result = 0;
    std::int64_t done = 0;
    const LapTimes chains = clock.measure(team, seconds, [&] {
      // x ← x/2 + 1/2 converges to 1: no overflow, no denormal numbers.
      done = kernels.multiply_add_chains(kRounds, 0.5F, 0.5F, &result);
      team.barrier();
    });
    TriadArrays& mine = arrays[static_cast<std::size_t>(team.index())];
    const LapTimes triad = clock.measure(team, seconds, [&] {
      kernels.triad(size, mine.a.data(), mine.b.data(), 0.5F, mine.dst.data());
      team.barrier();
    });
    if (team.index() != 0) return;
    ceiling.multiply_adds = static_cast<double>(done) * threads / chains.fastest;
    ceiling.bytes = 3. * static_cast<double>(size) * sizeof(float) * threads / triad.fastest;
  });
  return ceiling;
}

}  // namespace convoy::measure
