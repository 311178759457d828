#include "processors.hpp"

#include <hwloc.h>
#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <set>

#include "convoy/core/parallel.hpp"
#include "convoy/core/places.hpp"
#include "convoy/core/text.hpp"

namespace convoy::machine {
namespace {

static_assert(HWLOC_API_VERSION >= 0x00020000, "Convoy needs hwloc 2");

struct Free {
  void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
  void operator()(hwloc_bitmap_s* bitmap) const { hwloc_bitmap_free(bitmap); }
};
using Topology = std::unique_ptr<hwloc_topology, Free>;
using Bitmap = std::unique_ptr<hwloc_bitmap_s, Free>;

/// Null if the system does not provide it.
Topology load_topology() {
  hwloc_topology_t made = nullptr;
  if (hwloc_topology_init(&made) != 0) return nullptr;
  Topology topology(made);
  // Ignore caches, packages and other types to save time; processors and NUMA domains are always kept.
  hwloc_topology_set_all_types_filter(made, HWLOC_TYPE_FILTER_KEEP_NONE);
  hwloc_topology_set_type_filter(made, HWLOC_OBJ_CORE, HWLOC_TYPE_FILTER_KEEP_ALL);
  return hwloc_topology_load(made) == 0 ? std::move(topology) : nullptr;
}

std::vector<int> numbers_of(hwloc_const_bitmap_t bitmap) {
  std::vector<int> numbers;
  for (int i = hwloc_bitmap_first(bitmap); i >= 0; i = hwloc_bitmap_next(bitmap, i)) numbers.push_back(i);
  return numbers;
}

/// The lowest number of the processors of the core of `number`; `number` if no core is known.
int first_of_core(hwloc_topology* topology, int number) {
  const hwloc_obj_t processor = hwloc_get_pu_obj_by_os_index(topology, static_cast<unsigned>(number));
  const hwloc_obj_t core =
      processor == nullptr ? nullptr : hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, processor);
  return core == nullptr ? number : hwloc_bitmap_first(core->cpuset);
}

}  // namespace

Processors allowed_processors() {
  const Topology topology = load_topology();
  const Bitmap allowed(hwloc_bitmap_alloc());
  if (allowed == nullptr) throw std::bad_alloc();
  if (topology == nullptr || hwloc_get_cpubind(topology.get(), allowed.get(), HWLOC_CPUBIND_THREAD) != 0 ||
      hwloc_bitmap_iszero(allowed.get()) != 0)
    return {.numbers = {0}, .domains = {}};
  for (const int number : processors_of_places())
    hwloc_bitmap_set(allowed.get(), static_cast<unsigned>(number));
  Processors processors{.numbers = numbers_of(allowed.get()), .domains = {}};
  if (hwloc_get_nbobjs_by_type(topology.get(), HWLOC_OBJ_NUMANODE) > 1) {
    const Bitmap domains(hwloc_bitmap_alloc());
    if (domains == nullptr) throw std::bad_alloc();
    hwloc_cpuset_to_nodeset(topology.get(), allowed.get(), domains.get());
    processors.domains = numbers_of(domains.get());
  }
  return processors;
}

std::vector<int> pinned_processors(const std::vector<int>& allowed, int threads) {
  if (omp_get_proc_bind() == omp_proc_bind_false) return {};
  const Topology topology = load_topology();
  if (topology == nullptr) return {};
  std::mutex mutex;
  std::set<int> found;
  // More threads than processors share them anyway.
  on_threads(std::min(threads, static_cast<int>(allowed.size())), [&] {
    const std::lock_guard lock(mutex);
    const Bitmap mine(hwloc_bitmap_alloc());
    if (mine == nullptr || hwloc_get_cpubind(topology.get(), mine.get(), HWLOC_CPUBIND_THREAD) != 0) return;
    for (const int number : numbers_of(mine.get())) found.insert(number);
  });
  if (found.size() >= allowed.size()) return {};
  std::set<int> cores;
  for (const int number : found) cores.insert(first_of_core(topology.get(), number));
  return {cores.begin(), cores.end()};
}

std::string binding_variables() {
  if (omp_get_proc_bind() == omp_proc_bind_false) return {};
  std::vector<std::string> set;
  for (const char* name : {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"})
    if (const char* value = std::getenv(name)) set.push_back(std::string(name) + '=' + value);
  return join(set, ", ");
}

}  // namespace convoy::machine
