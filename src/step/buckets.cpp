#include "convoy/step/buckets.hpp"

#include <algorithm>

#include "convoy/core/integer.hpp"
#include "convoy/optim/optimizer.hpp"
#include "convoy/passes/operations.hpp"

namespace convoy::step {
namespace {

/// The elements that one operation assigns, in memory order.
struct Piece {
  Range elements;
  int operation;
};

/// Splits pieces that are adjacent in memory into buckets of at most `most` elements, from the back.
void cut(const std::vector<Piece>& pieces, std::int64_t most, std::vector<Bucket>& buckets) {
  std::vector<Bucket> mine;
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    const std::int64_t size = piece->elements.size();
    if (size == 0) continue;
    if (!mine.empty() && mine.back().elements.size() + size <= most) {
      mine.back() = {{piece->elements.begin, mine.back().elements.end}, piece->operation};
      continue;
    }
    // Splits only between norm blocks. A bucket of whole blocks may exceed `most` by one block.
    const std::int64_t first = piece->elements.begin / optim::kNormBlock;
    const std::int64_t blocks = ceil_div(piece->elements.end, optim::kNormBlock) - first;
    const std::int64_t parts = std::min(ceil_div(size, most), blocks);
    for (std::int64_t i = parts; i-- > 0;) {
      const Range part = split(blocks, parts, i);
      const auto at = [&](std::int64_t block) {
        return std::clamp((first + block) * optim::kNormBlock, piece->elements.begin, piece->elements.end);
      };
      mine.push_back({{at(part.begin), at(part.end)}, piece->operation});
    }
  }
  buckets.insert(buckets.end(), mine.begin(), mine.end());
}

}  // namespace

std::vector<Bucket> plan_buckets(const nn::Network& network, std::int64_t bytes) {
  const std::int64_t most = std::max<std::int64_t>(1, bytes / static_cast<std::int64_t>(sizeof(float)));
  std::vector<Piece> parameters;
  std::vector<Piece> statistics;
  const std::vector<passes::OperationRanges> ranges = passes::operation_ranges(network);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    parameters.push_back({ranges[i].parameters, static_cast<int>(i)});
    statistics.push_back({ranges[i].statistics, static_cast<int>(i)});
  }
  std::vector<Bucket> buckets;
  cut(parameters, most, buckets);
  cut(statistics, most, buckets);
  std::stable_sort(buckets.begin(), buckets.end(),
                   [](const Bucket& a, const Bucket& b) { return a.operation > b.operation; });
  return buckets;
}

std::int64_t layerwise_micro_batches(const nn::Network& network, std::int64_t micro_batch, int hosts,
                                     const CommOptions& options) {
  constexpr std::int64_t kMost = 8;  // workspaces
  // Gigabit Ethernet against one core; the decision holds if either is wrong by a small factor.
  constexpr double kBytesPerSecond = 1.25e8;
  constexpr double kProductsPerSecond = 5e10;
  if (hosts == 1 || !options.overlap) return 1;
  double products = 0;
  for (const nn::Node& node : network.nodes()) products += static_cast<double>(node.layer->multiplications());
  const double backward_seconds = 2 * products * static_cast<double>(micro_batch) / kProductsPerSecond;
  const double wire_seconds = static_cast<double>(network.gradient_size()) * sizeof(float) / kBytesPerSecond;
  return wire_seconds > backward_seconds ? kMost : 1;
}

}  // namespace convoy::step
