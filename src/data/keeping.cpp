#include "convoy/data/keeping.hpp"

#include <algorithm>

namespace convoy::data {
namespace {

// Bytes per sample of the checksums of its image and its label or target.
constexpr std::int64_t kChecksumBytes = 2 * sizeof(std::uint32_t);

// Bytes of /dev/shm left for gradients and MPI.
constexpr std::int64_t kSharedForOthers = std::int64_t{16} << 20;

}  // namespace

Keeping choose_keeping(Cache cache, std::int64_t bytes, int ranks, const NodeMemory& memory) {
  if (cache != Cache::kAuto) return cache == Cache::kMemory ? Keeping::kOncePerNode : Keeping::kInFiles;
  // Leave half of the memory for everything else.
  const auto fits = [&](std::int64_t size) { return size <= memory.available / 2; };
  const bool is_shareable = ranks == 1 || bytes <= memory.shared - kSharedForOthers;
  return !fits(bytes)          ? Keeping::kInFiles
         : is_shareable        ? Keeping::kOncePerNode
         : fits(bytes * ranks) ? Keeping::kOncePerRank
                               : Keeping::kInFiles;
}

const SplitLayout* find_first(const DatasetLayout& layout, std::string_view words) {
  while (true) {
    const auto bar = words.find('|');
    if (const SplitLayout* split = layout.find(std::string(words.substr(0, bar)))) return split;
    if (bar == std::string_view::npos) return nullptr;
    words.remove_prefix(bar + 1);
  }
}

std::int64_t bytes_in_memory(const DatasetLayout& layout, const std::vector<std::string>& names) {
  std::int64_t bytes = 0;
  for (const std::string& name : names)
    if (const SplitLayout* split = find_first(layout, name))
      bytes += split->samples *
               (layout.shape.size() * (is_bytes(*split) ? 1 : static_cast<std::int64_t>(sizeof(float))) +
                kChecksumBytes);
  return bytes;
}

Footprint footprint(const Options& options, std::int64_t bytes, int ranks, const NodeMemory& memory) {
  switch (choose_keeping(options.cache, bytes, ranks, memory)) {
    case Keeping::kOncePerNode:
      return {.shared = bytes};
    case Keeping::kOncePerRank:
      return {.per_rank = bytes};
    case Keeping::kInFiles:
      break;
  }
  constexpr std::int64_t kBuffers = 2;  // of a Stream
  return {.shared = kBuffers * std::min(options.window_bytes, bytes)};
}

}  // namespace convoy::data
