#pragma once
// The search for a learning rate (Smith 2017, "learning rate range test"): steps from the initial weights
// with a rate that rises exponentially. Writes nothing. Called by the `lr-find` command.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/kernels/isa.hpp"

namespace convoy::train {

struct SweepRequest {
  double from = 1e-6;                          ///< rate of the first step; > 0
  double to = 10;                              ///< rate of the last step; > from
  std::int64_t steps = 100;                    ///< at least 2
  kernels::Isa isa = kernels::Isa::kPortable;  ///< this rank's best
  /// Called on rank 0 after every step with the steps done.
  std::function<void(std::int64_t)> progress{};
};

struct SweepPoint {
  double rate = 0;
  double loss = 0;      ///< of the step, before its update; may be infinite or NaN at the last point
  double smoothed = 0;  ///< mean of the losses so far, each weighted 0.9 times as much as the next
};

struct RateSweep {
  std::vector<SweepPoint> points;
  /// True if it ended early: the smoothed loss was above 4 times its least value, or not finite.
  bool diverged = false;

  /// Rate at which the smoothed loss falls fastest per factor of the rate, before its least value and after
  /// the first tenth of the steps; none if it does not fall there.
  [[nodiscard]] std::optional<double> steepest() const;
  /// A tenth of the rate at which the sweep diverged; none if it did not.
  [[nodiscard]] std::optional<double> tenth_of_divergence() const;
};

/// The rate of step `step` of a sweep: from·(to/from)^(step/(steps − 1)).
[[nodiscard]] double sweep_rate(const SweepRequest& request, std::int64_t step);

/// Adds a step's loss to the sweep; true if the sweep is over because it diverged.
bool add_point(RateSweep& sweep, double rate, double loss);

/// Collective over `world`. Trains the network of `options` on its data with the rates of `request` instead
/// of its schedule; batch, optimizer and seed as in a run. The same bits on any number of ranks and threads,
/// and the same result on every rank. Throws as a run does at its start.
[[nodiscard]] RateSweep sweep_rates(const config::Options& options, const comm::Communicator& world,
                                    const SweepRequest& request);

}  // namespace convoy::train
