#pragma once
// Moves ranges of a flat vector from the ranks that hold them to the ranks that request them.

#include <span>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/team.hpp"

namespace convoy::comm {

/// The messages between ranks, planned once, used for any number of moves.
class Redistribution {
 public:
  /// Collective over `world`. This rank holds the elements of `held` and requests the elements of `wanted`.
  /// Preconditions: `held` of different ranks are disjoint; ranges are in ascending order.
  Redistribution(const Communicator& world, const std::vector<Range>& held, const std::vector<Range>& wanted);

  /// Collective. `values`: the elements of `held`, range after range. Returns the elements of `wanted`, range
  /// after range; 0 for an element that no rank holds. Uses only point-to-point messages on `world`, so a
  /// thread beside the compute thread may call it.
  [[nodiscard]] std::vector<float> move(std::span<const float> values) const;

 private:
  /// Elements that are consecutive both in `held` of the sender and in `wanted` of the receiver.
  struct Stretch {
    int peer = 0;
    std::int64_t offset = 0;  ///< in the elements of `held` or of `wanted`
    std::int64_t size = 0;
  };
  Communicator world_;
  std::vector<Stretch> sent_;      // by peer, ascending
  std::vector<Stretch> received_;  // by peer, ascending
  std::int64_t wanted_size_ = 0;
};

}  // namespace convoy::comm
