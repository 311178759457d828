#pragma once
// The samples that ranks bring from memory, and their joining to one set. Private to the library room.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/data/memory_split.hpp"
#include "convoy/library/dataset.hpp"

namespace convoy {

class SampleStore {
 public:
  /// Throws ConfigError unless the format is complete.
  explicit SampleStore(const SampleFormat& format);

  /// Dataset::add().
  void add(std::span<const std::int64_t> numbers, const Numbers& images, const Numbers& answers);
  /// Collective over `ranks`. Adds the new samples of all ranks to joined(); false if there are none.
  bool join(const comm::Communicator& ranks);
  [[nodiscard]] const data::MemorySplit& joined() const { return joined_; }

 private:
  /// Samples of this rank.
  struct Samples {
    std::vector<std::int64_t> numbers;
    std::vector<std::byte> images;   // [n][image_bytes()]
    std::vector<std::byte> answers;  // [n][answer_bytes()]
  };

  [[nodiscard]] std::int64_t image_bytes() const;
  [[nodiscard]] std::int64_t answer_bytes() const;
  [[nodiscard]] std::vector<std::byte> checked_images(const Numbers& images, std::int64_t samples) const;
  [[nodiscard]] std::vector<std::byte> checked_answers(const Numbers& answers, std::int64_t samples) const;
  /// Collective. Copies `of_node` of every node's ranks to all other nodes' memory.
  static void exchange(const comm::Communicator& leaders, std::span<const std::int64_t> of_node,
                       std::int64_t bytes, std::span<std::byte> memory);

  SampleFormat format_;
  Samples added_;  // since the last join()
  data::MemorySplit joined_;
};

}  // namespace convoy
