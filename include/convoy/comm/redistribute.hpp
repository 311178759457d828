#pragma once
// Moving the pieces of a flat vector from the ranks that hold them to those that want them.

#include <span>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/team.hpp"

namespace convoy::comm {

/// Who holds and who wants what, worked out once; then moved as often as need be.
class Redistribution {
 public:
  /// Collective over `world`. This rank holds the elements of `held` and wants those of `wanted`; what the
  /// ranks hold is disjoint. Ranges rise.
  Redistribution(const Communicator& world, const std::vector<Range>& held, const std::vector<Range>& wanted);

  /// Collective. `values`: of `held`, one range after the other. Returns those of `wanted` likewise; 0 where
  /// no rank holds one. Messages alone, on `world`: may be called on a thread beside the one that computes.
  [[nodiscard]] std::vector<float> move(std::span<const float> values) const;

 private:
  /// Elements that lie next to each other on both sides.
  struct Stretch {
    int peer = 0;
    std::int64_t offset = 0;  ///< among what is held, or wanted
    std::int64_t size = 0;
  };
  Communicator world_;
  std::vector<Stretch> sent_;      // by peer, rising
  std::vector<Stretch> received_;  // likewise
  std::int64_t wanted_size_ = 0;
};

}  // namespace convoy::comm
