#pragma once
// Storage of a split's images and labels. Private to the data room: Dataset fills it; Split and Stream read
// it.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/layout.hpp"

namespace convoy::data {

enum class PixelType { kUint8, kFloat32 };

[[nodiscard]] inline std::int64_t bytes_of(PixelType type) {
  return type == PixelType::kUint8 ? 1 : static_cast<std::int64_t>(sizeof(float));
}

struct Split::Impl {
  std::string name{};
  Shape shape;
  PixelType type = PixelType::kUint8;
  std::int64_t samples = 0;
  std::int64_t target_size = 0;  ///< 0: no targets
  /// Labels: int64 [samples]; targets: float [samples][target_size]; empty: neither.
  std::shared_ptr<comm::NodeSharedMemory> labels_or_targets{};
  std::shared_ptr<comm::NodeSharedMemory> images{};  ///< [samples][C][H][W]; empty if streamed
  SplitLayout layout{};                              ///< only if streamed; without labels
  /// Only if streamed: state, by path, of its files (and of the files they link to) when the data set was
  /// opened.
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
