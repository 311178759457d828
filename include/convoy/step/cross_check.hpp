#pragma once
// Whether two ranks compute the same: each computes one micro-batch of the next rank again and compares the
// sums of the gradients' bytes. A processor or memory that errs in silence shows so. Private to the train
// room.

#include <cstdint>
#include <span>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/core/team.hpp"

namespace convoy::step {

/// The micro-batch of rank `rank` of `ranks` that the one before it computes again after step `step` of
/// `leaves`, another one the next time; −1: none.
[[nodiscard]] std::int64_t leaf_to_check(std::int64_t leaves, std::int64_t step, int ranks, int rank);

class CrossCheck {
 public:
  /// For a network of so many operations.
  CrossCheck(comm::Communicator world, int operations);

  /// For a step of `leaves`, number `step`: chooses one micro-batch of every rank (leaf_to_check).
  void begin(std::int64_t leaves, std::int64_t step);
  /// The micro-batch of the next rank that this one computes again; −1: none, the step ends the last epoch
  /// with too few.
  [[nodiscard]] std::int64_t again() const { return chosen_of(next()); }

  /// What operation `operation` of micro-batch `leaf` has as its gradient. `is_again`: computed again, for
  /// the next rank.
  void see(std::int64_t leaf, int operation, std::span<const float> parameters,
           std::span<const float> statistics, bool is_again);

  /// Collective, after both were seen. Throws DisagreementError on every rank, naming two.
  void verify() const;

 private:
  [[nodiscard]] int next() const { return (world_.rank() + 1) % world_.size(); }
  [[nodiscard]] std::int64_t chosen_of(int rank) const {
    return leaf_to_check(leaves_, step_, world_.size(), rank);
  }

  comm::Communicator world_;
  std::int64_t leaves_ = 0;
  std::int64_t step_ = 0;
  std::vector<Digest> mine_;   // by operation
  std::vector<Digest> again_;  // of the next rank's
};

}  // namespace convoy::step
