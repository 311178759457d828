#include "convoy/step/team_pool.hpp"

#include <fmt/core.h>
#include <omp.h>

#include <string>

#include "convoy/core/error.hpp"
#include "convoy/core/floating_point.hpp"
#include "convoy/core/parallel.hpp"

namespace convoy::step {

TeamPool::TeamPool(int threads, void (*enter_thread)()) : threads_(threads), enter_thread_(enter_thread) {
  omp_set_dynamic(0);
  int given = 0;
  on_threads(threads, [&given] {
#pragma omp single
    given = omp_get_num_threads();
  });
  set_floating_point_mode();  // the calling thread adds gradients and losses outside parallel regions
  require_all(given);
}

TeamPool::~TeamPool() = default;

const TeamPool::Split& TeamPool::split_into(std::int64_t groups) {
  const auto [found, is_new] = splits_.try_emplace(groups);
  Split& result = found->second;
  if (!is_new) return result;
  for (std::int64_t g = 0; g < groups; ++g) {
    const auto size = static_cast<int>(split(threads_, groups, g).size());
    result.barriers.push_back(std::make_unique<Barrier>(size));
    for (int i = 0; i < size; ++i) result.places.push_back({g, Team(i, size, result.barriers.back().get())});
  }
  return result;
}

void TeamPool::start(std::int64_t groups, const Job& job) {
  const Split& places = split_into(groups);
  int given = threads_;
  const StandardFloatingPointMode fork;  // the region creates threads again after a smaller one
#pragma omp parallel num_threads(threads_) default(none) shared(places, job, given)
  {
    // Fewer threads inside another parallel region, or where the calling thread may adjust their number.
    if (omp_get_num_threads() != threads_) {
#pragma omp single
      given = omp_get_num_threads();
    } else {
      const FloatingPointMode mode;
      if (enter_thread_ != nullptr) enter_thread_();
      const Place& place = places.places[static_cast<std::size_t>(omp_get_thread_num())];
      job(place.group, place.team);
    }
  }
  require_all(given);
}

void TeamPool::require_all(int given) const {
  if (given == threads_) return;
  throw ConfigError(
      fmt::format("OpenMP gives {} threads instead of {} (OMP_THREAD_LIMIT, or a call inside a parallel "
                  "region?); run.threads must be within what the system allows",
                  given, threads_));
}

}  // namespace convoy::step
