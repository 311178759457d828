#pragma once
// Where the images of the splits that a run reads are: decided by data.cache and the memory of the nodes.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/core/memory.hpp"
#include "convoy/samples/layout.hpp"

namespace convoy::data {

/// In the order of the memory that they take on a node.
enum class Keeping : char { kOncePerNode, kOncePerRank, kInFiles };

/// Bytes that a node has for images.
struct NodeMemory {
  std::int64_t available = available_memory();
  std::int64_t shared = free_shared_memory();
};

/// Where a node with `ranks` ranks would keep `bytes` of images.
[[nodiscard]] Keeping choose_keeping(Cache cache, std::int64_t bytes, int ranks, const NodeMemory& memory);

/// The split that `words` name: "test", or the first existing of "validation|test". Null if there is none.
[[nodiscard]] const SplitLayout* find_first(const DatasetLayout& layout, std::string_view words);

/// Bytes of the images of the splits that `names` name, as they are in memory, with their checksums.
[[nodiscard]] std::int64_t bytes_in_memory(const DatasetLayout& layout,
                                           const std::vector<std::string>& names);

/// What images take on a node.
struct Footprint {
  std::int64_t shared = 0;  ///< of memory that the ranks share; of one rank: of its own
  std::int64_t per_rank = 0;
};
/// For splits of `bytes` in memory.
[[nodiscard]] Footprint footprint(const Options& options, std::int64_t bytes, int ranks,
                                  const NodeMemory& memory);

}  // namespace convoy::data
