#include "convoy/core/places.hpp"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <memory>

namespace convoy {

std::vector<int> processors_of_places() {
  std::vector<int> all;
  const omp_proc_bind_t bind = omp_get_proc_bind();
  if (bind == omp_proc_bind_false || bind == omp_proc_bind_master) return all;
  for (int place = 0; place < omp_get_num_places(); ++place) {
    std::vector<int> here(static_cast<std::size_t>(omp_get_place_num_procs(place)));
    if (!here.empty()) omp_get_place_proc_ids(place, here.data());
    all.insert(all.end(), here.begin(), here.end());
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void leave_first_place() {
  const std::vector<int> processors = processors_of_places();
  if (processors.empty()) return;
  const auto count = static_cast<std::size_t>(processors.back()) + 1;
  const auto free_set = [](cpu_set_t* set) { CPU_FREE(set); };
  const std::unique_ptr<cpu_set_t, decltype(free_set)> set(CPU_ALLOC(count), free_set);
  if (set == nullptr) return;
  const std::size_t bytes = CPU_ALLOC_SIZE(count);
  CPU_ZERO_S(bytes, set.get());
  for (const int processor : processors) CPU_SET_S(static_cast<std::size_t>(processor), bytes, set.get());
  static_cast<void>(sched_setaffinity(0, bytes, set.get()));
}

}  // namespace convoy
