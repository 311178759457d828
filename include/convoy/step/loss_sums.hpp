#pragma once
// The loss and correct answers of a step, from the micro-batches of all ranks. Private to the train room.

#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/step/engine.hpp"

namespace convoy::step {

class LossSums {
 public:
  explicit LossSums(comm::Communicator world);

  /// Where this rank's results of a step of `leaves` micro-batches go: as many places as any rank needs, all
  /// zero, valid until the next call.
  [[nodiscard]] std::span<MicroBatchResult> places(std::int64_t leaves);

  /// Collective, after the places of such a step (at least one micro-batch) were filled. The sum over all
  /// ranks, added along the tree. `request`, a Request (trainer.hpp), is sent in the same message.
  /// `meanwhile` is called over and over while it waits.
  [[nodiscard]] MicroBatchResult sum(
      std::int64_t leaves, int request = 0, const std::function<void()>& meanwhile = [] {});
  /// The largest `request` of any rank in the last sum().
  [[nodiscard]] int strongest_request() const { return strongest_request_; }

 private:
  /// What ranks send each other: one a place. Every rank has a place, so every rank's request travels.
  struct Record {
    MicroBatchResult leaf;
    std::int32_t request = 0;  ///< of the rank, the same in all its records
  };
  static_assert(std::is_trivially_copyable_v<Record>);

  comm::Communicator world_;
  std::vector<MicroBatchResult> mine_;
  std::vector<Record> sent_;
  std::vector<Record> all_;
  std::vector<double> losses_;
  int strongest_request_ = 0;
};

}  // namespace convoy::step
