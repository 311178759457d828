// The ceilings of cores and memory.

#include <unistd.h>

#include <algorithm>
#include <exception>

#include "convoy/core/aligned.hpp"
#include "convoy/core/layout.hpp"
#include "convoy/train/benchmark.hpp"
#include "convoy/train/team_clock.hpp"
#include "convoy/train/team_pool.hpp"

namespace convoy::train {
namespace {

/// Elements of one array of the triad, all threads together: McCalpin asks for four times the caches.
std::int64_t triad_size() {
  constexpr std::int64_t kMebibyte = 1 << 20;
  std::int64_t cache = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
  cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
  return std::clamp(4 * cache, 32 * kMebibyte, 256 * kMebibyte) / static_cast<std::int64_t>(sizeof(float));
}

/// A thread's part of the arrays, first touched by that thread.
struct TriadArrays {
  AlignedBuffer<float> a, b, dst;
};

}  // namespace

Ceiling measure_ceiling(const kernels::KernelTable<float>& kernels, int threads, double seconds) {
  constexpr std::int64_t kRounds = 1 << 16;  // long against a barrier
  const auto count = static_cast<std::size_t>(threads);
  const std::int64_t size = triad_size() / threads / kLanes * kLanes;
  TeamPool pool(threads);
  TeamClock clock;
  Ceiling ceiling;
  std::vector<TriadArrays> arrays(count);
  std::vector<std::exception_ptr> failures(count);
  pool.run(1, [&](std::int64_t, const Team& team) {
    const auto me = static_cast<std::size_t>(team.index());
    float result = 0;
    std::int64_t done = 0;
    const Laps chains = clock.measure(team, seconds, [&] {
      // x ← x/2 + 1/2 goes to 1: no overflow, no denormal number.
      done = kernels.multiply_add_chains(kRounds, 0.5F, 0.5F, &result);
      team.barrier();
    });
    try {
      arrays[me] = {AlignedBuffer<float>(size), AlignedBuffer<float>(size), AlignedBuffer<float>(size)};
    } catch (...) {
      failures[me] = std::current_exception();
    }
    team.barrier();
    if (std::ranges::any_of(failures, [](const auto& failure) { return failure != nullptr; })) return;
    const Laps triad = clock.measure(team, seconds, [&] {
      kernels.triad(size, arrays[me].a.data(), arrays[me].b.data(), 0.5F, arrays[me].dst.data());
      team.barrier();
    });
    if (team.index() != 0) return;
    ceiling.multiply_adds = static_cast<double>(done) * threads / chains.fastest;
    ceiling.bytes = 3. * static_cast<double>(size) * sizeof(float) * threads / triad.fastest;
  });
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);
  return ceiling;
}

}  // namespace convoy::train
