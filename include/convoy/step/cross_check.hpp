#pragma once
// Detects silent errors of processors and memory: each rank recomputes one micro-batch of the next rank, and
// the checksums of the gradients' bytes are compared. Used by StepRunner.

#include <cstdint>
#include <span>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/core/team.hpp"

namespace convoy::step {

/// The micro-batch of rank `rank` that the previous rank recomputes after step `step` of `leaves`
/// micro-batches on `ranks` ranks. The choice changes with every check. −1: none.
[[nodiscard]] std::int64_t leaf_to_check(std::int64_t leaves, std::int64_t step, int ranks, int rank);

class CrossCheck {
 public:
  /// `operations`: number of operations of the network.
  CrossCheck(comm::Communicator world, int operations);

  /// Chooses one micro-batch of every rank (leaf_to_check) for step number `step` of `leaves` micro-batches.
  void begin(std::int64_t leaves, std::int64_t step);
  /// The micro-batch of the next rank that this rank recomputes. −1: none, if an epoch's last step has too
  /// few micro-batches.
  [[nodiscard]] std::int64_t again() const { return chosen_of(next()); }

  /// Adds the gradient of operation `operation` of micro-batch `leaf`. `is_again`: true if this rank
  /// recomputed it for the next rank.
  void see(std::int64_t leaf, int operation, std::span<const float> parameters,
           std::span<const float> statistics, bool is_again);

  /// Collective, after see() was called for both micro-batches. Throws DisagreementError on every rank; the
  /// error names two ranks.
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
  std::vector<Digest> again_;  // by operation; of the next rank's micro-batch
};

}  // namespace convoy::step
