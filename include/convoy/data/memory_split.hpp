#pragma once
// Splits of images that the caller has in memory: to predict, and to train (Dataset's constructor).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/data/dataset.hpp"

namespace convoy::data {

/// All samples of a data set, once per node, in memory that the node's ranks share. Equal on all nodes.
struct MemorySplit {
  Shape shape;
  bool is_bytes = false;  ///< images are uint8, else float
  std::int64_t samples = 0;
  std::int64_t target_size = 0;  ///< numbers per sample; 0: labels
  std::int64_t classes = 0;      ///< with labels, which are below it
  std::vector<std::string> class_names{};
  std::shared_ptr<comm::NodeSharedMemory> images{};   ///< [samples][C][H][W]
  std::shared_ptr<comm::NodeSharedMemory> answers{};  ///< int64 [samples] or float [samples][target_size]
};

/// Without labels: copies `images`, [n][C][H][W] of `shape`, n ≥ 1, for this process alone. Precondition:
/// whole images.
[[nodiscard]] Split split_of(const Shape& shape, std::span<const std::uint8_t> images);
[[nodiscard]] Split split_of(const Shape& shape, std::span<const float> images);

}  // namespace convoy::data
