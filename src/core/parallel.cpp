#include "convoy/core/parallel.hpp"

#include "convoy/core/floating_point.hpp"

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
#pragma omp for schedule(static)
      for (std::int64_t i = 0; i < count; ++i) work(i);
    } else {
#pragma omp for schedule(dynamic)
      for (std::int64_t i = 0; i < count; ++i) work(i);
    }
  });
}

}  // namespace convoy
