#pragma once
// The loss and correct answers of a step, from the micro-batches of all ranks. Private to the train room.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/step/engine.hpp"

namespace convoy::step {

class LeafSums {
 public:
  explicit LeafSums(comm::Communicator world);

  /// Where this rank's results of a step of `leaves` micro-batches go: as many places as any rank needs, all
  /// zero, valid until the next call.
  [[nodiscard]] std::span<LeafResult> places(std::int64_t leaves);

  /// Collective, after the places of such a step were filled. Everybody's, added along the tree. `note` goes
  /// along: largest_note() is the largest any rank gave. `meanwhile` is called over and over while it waits.
  [[nodiscard]] LeafResult sum(
      std::int64_t leaves, int note = 0, const std::function<void()>& meanwhile = [] {});
  [[nodiscard]] int largest_note() const { return largest_note_; }

 private:
  comm::Communicator world_;
  std::vector<LeafResult> mine_;
  std::vector<LeafResult> all_;
  std::vector<double> losses_;
  int largest_note_ = 0;
};

}  // namespace convoy::step
