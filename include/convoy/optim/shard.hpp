#pragma once
// The stretches of a flat vector that one rank keeps of an optimizer's state, the others keeping theirs.

#include <cstdint>
#include <span>
#include <vector>

#include "convoy/core/aligned.hpp"
#include "convoy/core/team.hpp"

namespace convoy::optim {

class Shard {
 public:
  /// Nothing at all.
  Shard() = default;
  /// `ranges` of the vector, rising and disjoint; zeros.
  explicit Shard(std::vector<Range> ranges);

  [[nodiscard]] const std::vector<Range>& ranges() const { return ranges_; }
  /// What is kept, one range after the other.
  [[nodiscard]] std::span<float> values() { return values_.span(); }
  [[nodiscard]] std::span<const float> values() const { return values_.span(); }
  /// Where element `element` of the vector lies, which must be kept; its range follows. Null where nothing is
  /// kept at all.
  [[nodiscard]] float* at(std::int64_t element);
  [[nodiscard]] const float* at(std::int64_t element) const;

 private:
  [[nodiscard]] std::int64_t offset_of(std::int64_t element) const;

  std::vector<Range> ranges_;
  std::vector<std::int64_t> offsets_;
  AlignedBuffer<float> values_;
};

}  // namespace convoy::optim
