#pragma once
// Sums a step's loss and correct answers over the micro-batches of all ranks. Used by StepRunner.

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

  /// Buffer for this rank's results of a step of `leaves` micro-batches: as many entries as any rank needs,
  /// all zero, valid until the next call.
  [[nodiscard]] std::span<MicroBatchResult> places(std::int64_t leaves);

  /// Collective, after the entries of places() are filled (at least one micro-batch). Returns the sum over
  /// all ranks, added along the tree. `request` (a Request, trainer.hpp) is sent in the same message. Calls
  /// `meanwhile` repeatedly while waiting.
  [[nodiscard]] MicroBatchResult sum(
      std::int64_t leaves, int request = 0, const std::function<void()>& meanwhile = [] {});
  /// The largest `request` of any rank in the last sum().
  [[nodiscard]] int strongest_request() const { return strongest_request_; }

 private:
  /// Message between ranks: one per entry of places(). Every rank has at least one entry, so every rank sends
  /// its request.
  struct Record {
    MicroBatchResult leaf;
    std::int32_t request = 0;  ///< of the rank, the same in all its records
  };
  static_assert(std::is_trivially_copyable_v<Record>);

  comm::Communicator world_;
  std::vector<MicroBatchResult> mine_;
  std::vector<Record> sent_;
  std::vector<Record> all_;
  std::vector<MicroBatchResult> leaves_;
  int strongest_request_ = 0;
};

}  // namespace convoy::step
