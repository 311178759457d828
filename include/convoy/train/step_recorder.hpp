#pragma once
// Collects the hashes of what all ranks compute in a step (model/step_hashes.hpp), for a run that records
// them and for a replay that is compared with such a record.

#include <atomic>
#include <cstdint>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/model/step_hashes.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/step/hooks.hpp"

namespace convoy::train {

class StepRecorder {
 public:
  /// `network` must outlive the recorder.
  StepRecorder(model::Hashed what, const comm::Communicator& world, const nn::Network& network);
  StepRecorder(const StepRecorder&) = delete;
  StepRecorder& operator=(const StepRecorder&) = delete;

  [[nodiscard]] model::Hashed what() const { return what_; }
  /// The hooks for the steps to record: `others`, and see() if layers are recorded.
  [[nodiscard]] step::Hooks hooks(const step::Hooks& others);

  /// Adds what one operation computed for one micro-batch. Any thread.
  void see(const step::Computed& computed);
  /// Collective, after a step whose state has arrived. Returns the hashes of model::hashed_parts() on every
  /// rank, equal for any number of ranks and threads, and begins anew.
  [[nodiscard]] std::vector<std::uint64_t> finish(const model::State& state, int threads);

 private:
  model::Hashed what_;
  comm::Communicator world_;
  const nn::Network& network_;
  std::vector<std::size_t> gradients_;                // by operation with parameters: its place in computed_
  std::vector<std::atomic<std::uint64_t>> computed_;  // of outputs and gradients, in the order of the parts
};

}  // namespace convoy::train
