#pragma once
// The part of an optimizer's state that one rank stores: ranges of a flat vector.

#include <cstdint>
#include <span>
#include <vector>

#include "convoy/core/aligned.hpp"
#include "convoy/core/team.hpp"

namespace convoy::optim {

class Shard {
 public:
  /// Empty.
  Shard() = default;
  /// `ranges` of the vector, ascending and disjoint; initially zero.
  explicit Shard(std::vector<Range> ranges);

  [[nodiscard]] const std::vector<Range>& ranges() const { return ranges_; }
  /// The stored values, one range after the other.
  [[nodiscard]] std::span<float> values() { return values_.span(); }
  [[nodiscard]] std::span<const float> values() const { return values_.span(); }
  /// Address of element `element` of the vector, which must be stored here; the rest of its range follows.
  /// Null if the shard is empty.
  [[nodiscard]] float* at(std::int64_t element);
  [[nodiscard]] const float* at(std::int64_t element) const;

 private:
  [[nodiscard]] std::int64_t offset_of(std::int64_t element) const;

  std::vector<Range> ranges_;
  std::vector<std::int64_t> offsets_;
  AlignedBuffer<float> values_;
};

}  // namespace convoy::optim
