// convoy lr-find: a sweep of the learning rate, with a table and a suggestion.

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "command.hpp"
#include "convoy/command_line/command_line.hpp"
#include "convoy/core/text.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/launch/progress_line.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/launch/terminal.hpp"
#include "convoy/train/rate_sweep.hpp"

namespace convoy::apps {
namespace {

void print_table(const train::RateSweep& sweep) {
  constexpr std::size_t kMostLines = 25;
  const std::size_t every = (sweep.points.size() + kMostLines - 1) / kMostLines;
  std::cout << fmt::format("{:>6} {:>10} {:>12} {:>12}\n", "step", "rate", "loss", "smoothed");
  for (std::size_t i = 0; i < sweep.points.size(); ++i) {
    const train::SweepPoint& point = sweep.points[i];
    if (i % every == 0 || i + 1 == sweep.points.size())
      std::cout << fmt::format("{:>6} {:>10.3g} {:>12.6g} {:>12.6g}\n", i + 1, point.rate, point.loss,
                               point.smoothed);
  }
}

void print_suggestion(const config::Options& options, const train::RateSweep& sweep) {
  const auto steepest = sweep.steepest();
  const auto tenth = sweep.tenth_of_divergence();
  if (steepest) {
    std::cout << fmt::format("The loss falls fastest at {:.3g}.\n", *steepest);
  } else {
    std::cout << "The loss does not fall: more --steps, or a lower --from, may show where it does.\n";
  }
  if (tenth) {
    std::cout << fmt::format("It diverges at {:.3g}; a tenth of that is {:.3g}.\n", 10 * *tenth, *tenth);
  } else {
    std::cout << "It does not diverge up to the last rate; a higher --to may show where it does.\n";
  }
  if (!steepest && !tenth) return;
  const double rate = steepest && tenth ? std::min(*steepest, *tenth) : steepest ? *steepest : *tenth;
  const double factor = optim::scaled_to_batch(options.schedule, options.batch).lr / options.schedule.lr;
  std::cout << fmt::format("Suggestion: schedule.lr = {:.2g}{}\n", rate / factor,
                           factor == 1 ? "" : fmt::format(" (which schedule.scale-lr makes {:.2g})", rate));
}

}  // namespace

ExitStatus run_lr_find(const Arguments& arguments) {
  CommandLine line(
      "lr-find", "[mpirun …] convoy lr-find --config FILE [options]",
      "Finds a learning rate (Smith 2017): trains from the initial weights while the rate rises from step "
      "to\n"
      "step, and prints rate, loss and smoothed loss, and what they suggest. It ends early when the "
      "smoothed\n"
      "loss is above 4 times its least value. The schedule has no part in it; batch, optimizer and data are\n"
      "the run's. The same numbers on any ranks and threads; nothing is written.\n"
      "Examples:\n"
      "  convoy lr-find --config configs/lenet5-mnist.ini\n"
      "  convoy lr-find --config run.ini --from 1e-4 --to 1 --steps 300 --optimizer.momentum 0.9");
  line.add_value("from", "RATE", "rate of the first step; default 1e-6");
  line.add_value("to", "RATE", "rate of the last step; default 10");
  line.add_value("steps", "N", "steps, 10 to 100,000; default 100");
  line.add_configuration();
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const config::Options options = line.configuration(config::For::kTrial);
  train::SweepRequest request{.from = line.number("from", 1e-6, 1e-30, 1e30),
                              .to = line.number("to", 10, 1e-30, 1e30),
                              .steps = line.integer("steps", 100, 10, 100'000)};
  if (request.to <= request.from)
    throw ConfigError(fmt::format("--to {} is not above --from {} (the rate rises from one to the other)",
                                  shortest(request.to), shortest(request.from)));
  return launch::run_with_ranks("lr-find", [&](const comm::Communicator& world) {
    launch::ProgressLine progress(std::cout, launch::standard_output_is_terminal());
    request.isa = kernels::choose_isa();
    request.progress = [&](std::int64_t done) {
      progress.show("swept", done, request.steps, std::chrono::steady_clock::now(), "steps");
    };
    const train::RateSweep sweep = train::sweep_rates(options, world, request);
    progress.clear();
    if (world.is_root()) {
      print_table(sweep);
      print_suggestion(options, sweep);
    }
    return ExitStatus::kDone;
  });
}

}  // namespace convoy::apps
