#include "processors.hpp"

#include <hwloc.h>

#include <memory>
#include <new>

#include "convoy/core/places.hpp"

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
  return hwloc_topology_load(made) == 0 ? std::move(topology) : nullptr;
}

std::vector<int> numbers_of(hwloc_const_bitmap_t bitmap) {
  std::vector<int> numbers;
  for (int i = hwloc_bitmap_first(bitmap); i >= 0; i = hwloc_bitmap_next(bitmap, i)) numbers.push_back(i);
  return numbers;
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

}  // namespace convoy::machine
