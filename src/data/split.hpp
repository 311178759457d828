#pragma once
// Where a split's images and labels lie. Private to the data room: Dataset fills it, Split and Stream read
// it.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/io/file_system.hpp"
#include "dataset_layout.hpp"

namespace convoy::data {

enum class PixelType { kUint8, kFloat32 };

[[nodiscard]] inline std::int64_t bytes_of(PixelType type) {
  return type == PixelType::kUint8 ? 1 : static_cast<std::int64_t>(sizeof(float));
}

struct Split::Impl {
  Shape shape;
  PixelType type = PixelType::kUint8;
  std::int64_t samples = 0;
  std::int64_t target_size = 0;  ///< 0: samples have labels
  std::optional<comm::NodeSharedMemory>
      labels_or_targets{};  ///< labels, int64 [samples], or float [samples][target_size]
  std::optional<comm::NodeSharedMemory> images{};  ///< [samples][C][H][W]; none: streamed
  SplitLayout layout{};                            ///< of a streamed split, less its labels
  /// Of a streamed split, by path: its files as they were when the data set was opened, and those they lead
  /// to.
  std::map<std::string, io::FileState> states{};
  std::vector<std::string> other_files{};
  std::vector<std::int64_t> unit_ends{};

  template <class T>
  [[nodiscard]] std::span<T> labels_or_targets_as() const {
    const std::span<std::byte> bytes = labels_or_targets->bytes();
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  [[nodiscard]] std::int64_t image_bytes() const { return shape.size() * bytes_of(type); }
};

}  // namespace convoy::data
