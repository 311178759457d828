#pragma once
// Storage of a split's images and labels. Private to the data room: Dataset fills it; Split and Stream read
// it.

#include <atomic>
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
#include "sample_checksums.hpp"

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
  /// Null: not checked. Those of streamed images are the Stream's.
  std::unique_ptr<SampleChecksums> answer_checksums{};
  std::unique_ptr<SampleChecksums> image_checksums{};
  /// The first sample found changed: 2·sample, + 1 if its label or target is; −1: none.
  std::unique_ptr<std::atomic<std::int64_t>> damaged = std::make_unique<std::atomic<std::int64_t>>(-1);
  void record(std::int64_t sample, bool is_answer) const;

  /// Collective over `sharers`, who share `memory`, which holds `samples` samples: each rank assigns a part.
  static std::unique_ptr<SampleChecksums> checksums_of(const comm::NodeSharedMemory& memory,
                                                       std::int64_t samples,
                                                       const comm::Communicator& sharers);
  /// Record `sample` as damaged unless its image (at `image`, loaded with `checksum`), or its label or
  /// target, is as loaded.
  void check_image(std::int64_t sample, const std::byte* image, std::uint32_t checksum) const;
  /// False if damaged.
  [[nodiscard]] bool check_answer(std::int64_t sample) const;

  template <class T>
  [[nodiscard]] std::span<T> labels_or_targets_as() const {
    const std::span<std::byte> bytes = labels_or_targets->bytes();
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  [[nodiscard]] std::int64_t image_bytes() const { return shape.size() * bytes_of(type); }
};

}  // namespace convoy::data
