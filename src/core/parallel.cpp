#include "convoy/core/parallel.hpp"

#include <omp.h>

#include "convoy/core/floating_point.hpp"
#include "convoy/core/team.hpp"

namespace convoy {

void on_threads(int threads, const std::function<void()>& work) {
  const StandardFloatingPointMode fork;
#pragma omp parallel num_threads(threads) default(none) shared(work)
  {
    const FloatingPointMode mode;
    work();
  }
}

void parallel_for(int threads, std::int64_t count, Shares shares,
                  const std::function<void(std::int64_t i)>& work) {
  on_threads(threads, [&] {
    if (shares == Shares::kEqual) {
      const Range own = split(count, omp_get_num_threads(), omp_get_thread_num());
      for (std::int64_t i = own.begin; i < own.end; ++i) work(i);
    } else {
#pragma omp for schedule(dynamic)
      for (std::int64_t i = 0; i < count; ++i) work(i);
    }
  });
}

}  // namespace convoy
