#pragma once
// Steps of a run done again: from its start or a checkpoint, on any number of ranks. Private to the verify
// room.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "convoy/config/options.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/model/step_hashes.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/train/fit.hpp"
#include "convoy/train/step_recorder.hpp"
#include "convoy/verify/replay.hpp"

namespace convoy::verify {

class ReplayedRun {
 public:
  /// Collective over `world`. `options` must outlive the object. `isa`: this rank's best. `hashed`: what
  /// repeat_until() shows.
  ReplayedRun(const config::Options& options, const comm::Communicator& world, kernels::Isa isa,
              model::Hashed hashed);
  ReplayedRun(const ReplayedRun&) = delete;
  ReplayedRun& operator=(const ReplayedRun&) = delete;

  [[nodiscard]] const comm::Communicator& world() const { return world_; }
  [[nodiscard]] const data::Dataset& dataset() const { return dataset_; }
  [[nodiscard]] kernels::Isa isa() const { return fit_.isa(); }
  [[nodiscard]] std::vector<model::HashedPart> parts();

  /// Begins with the untrained network, or with a checkpoint.
  void begin();
  void begin(const model::CheckpointHeader& header, const std::string& checkpoint);

  /// Called on every rank after a step with the hashes of its parts().
  using Seen = std::function<void(std::int64_t step, std::span<const std::uint64_t> hashes)>;
  /// Collective. Does the steps up to `end`.
  void repeat_until(std::int64_t end, const Seen& seen);

  /// Collective. The differences between the present state and a checkpoint, the same on every rank.
  [[nodiscard]] std::vector<Difference> compare_with(const model::CheckpointHeader& header,
                                                     const std::string& checkpoint);

 private:
  const config::Options& options_;
  comm::Communicator world_;
  data::Dataset dataset_;
  nn::Network network_;
  train::StepRecorder recorder_;
  step::Hooks hooks_;
  train::Fit fit_;
  std::optional<step::Source> evaluated_;  // if the steps depend on evaluations
};

}  // namespace convoy::verify
