#pragma once
// The dry run's report: kernel calls, their threads, memory. Private to the train room.

#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/step/step_runner.hpp"

namespace convoy::train {

/// Reports the calls of `network`, which threads make them, and this rank's memory in training. Allocates all
/// this memory and reads every sample that is kept in memory. `test` null: no test split.
[[nodiscard]] std::string plan_report(const config::Options& options, const comm::Communicator& world,
                                      const nn::Network& network, step::StepRunner& step_runner,
                                      const step::Source& train, const step::Source* test);

}  // namespace convoy::train
