#pragma once
// What a dry run tells of a training run: the calls, who makes them, the memory. Private to the train room.

#include <string>

#include "convoy/comm/communicator.hpp"
#include "convoy/config/options.hpp"
#include "convoy/nn/network.hpp"
#include "convoy/step/step_runner.hpp"

namespace convoy::train {

/// The calls of `network`, which threads make them, and the memory of this rank while training. Makes all of
/// that memory, and looks at every sample that is kept in memory. `test`: null: there is none.
[[nodiscard]] std::string plan_report(const config::Options& options, const comm::Communicator& world,
                                      const nn::Network& network, step::StepRunner& step_runner,
                                      const step::Source& train, const step::Source* test);

}  // namespace convoy::train
