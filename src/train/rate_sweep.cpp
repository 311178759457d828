#include "convoy/train/rate_sweep.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "convoy/config/config.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/math.hpp"
#include "convoy/core/text.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/train/fit.hpp"
#include "convoy/train/same_run.hpp"

namespace convoy::train {
namespace {

constexpr double kMemory = 0.9;    // weight of a loss in the next smoothed one, relative to its own
constexpr double kMostOfBest = 4;  // times the least smoothed loss: then the sweep has diverged
constexpr std::size_t kSkipped =
    10;  // the first of so many parts of the steps: few losses are smoothed there

bool is_less(const SweepPoint& a, const SweepPoint& b) {
  return a.smoothed < b.smoothed;
}

/// Options of a run long enough for the sweep; its own schedule has no part in it.
config::Options options_of_sweep(const config::Options& options, const SweepRequest& request) {
  config::Options its = options;
  its.schedule = {};
  its.schedule.lr = request.from;
  its.epochs = request.steps;  // an epoch has at least one step
  its.max_steps = request.steps;
  return its;
}

}  // namespace

double sweep_rate(const SweepRequest& request, std::int64_t step) {
  const double part = static_cast<double>(step) / static_cast<double>(request.steps - 1);
  return request.from * math::exp(part * math::log(request.to / request.from));
}

bool add_point(RateSweep& sweep, double rate, double loss) {
  // Σ of the weights 1, 0.9, 0.81, … of the losses so far is (1 − 0.9^n)/(1 − 0.9).
  double weights = 0;
  for (std::size_t i = 0; i < sweep.points.size(); ++i) weights = kMemory * weights + 1;
  const double before = sweep.points.empty() ? 0 : sweep.points.back().smoothed;
  const double smoothed = (kMemory * weights * before + loss) / (kMemory * weights + 1);
  sweep.points.push_back({.rate = rate, .loss = loss, .smoothed = smoothed});
  const double best = std::ranges::min_element(sweep.points, is_less)->smoothed;
  sweep.diverged = !std::isfinite(loss) || smoothed > kMostOfBest * best;
  return sweep.diverged;
}

std::optional<double> RateSweep::steepest() const {
  const auto best = static_cast<std::size_t>(std::ranges::min_element(points, is_less) - points.begin());
  std::optional<double> rate;
  double most = 0;
  for (std::size_t i = std::max<std::size_t>(1, points.size() / kSkipped); i < best; ++i) {
    const double fall = points[i - 1].smoothed - points[i + 1].smoothed;
    if (fall <= most) continue;
    most = fall;
    rate = points[i].rate;
  }
  return rate;
}

std::optional<double> RateSweep::tenth_of_divergence() const {
  return diverged ? std::optional(points.back().rate / 10) : std::nullopt;
}

RateSweep sweep_rates(const config::Options& options, const comm::Communicator& world,
                      const SweepRequest& request) {
  const config::Options its = options_of_sweep(options, request);
  step::compare_across_ranks(world, {}, "build", step::build_digest(), step::kSameBuild);
  step::compare_across_ranks(world, {}, "configuration",
                             hash(config::effective_ini(its) + shortest(request.to)),
                             "give every rank the same files and options");
  step::BatchPlan(its).require_work_for(world.size());
  const comm::Communicator ranks = world.by_node();
  const data::Dataset dataset(its.data, ranks, {"train"});
  const nn::Network network = network_for(dataset, its);
  const step::Hooks no_hooks;
  Fit fit(its, ranks, network, training_source(dataset, its.data), request.isa, no_hooks);
  network.initialise(its.seed, fit.state().parameters, fit.state().statistics);
  ranks.barrier();  // the ranks of a node may share these buffers
  io::IoThread io_thread;
  const std::unique_ptr<data::Stream> stream = fit.feed(io_thread, fit.total_steps());
  fit.step_runner().start_watchdog();

  RateSweep sweep;
  while (!fit.is_complete()) {
    const double rate = sweep_rate(request, fit.progress().step);
    double loss = std::numeric_limits<double>::quiet_NaN();
    try {
      const Fit::Update update = fit.step(stream.get(), {}, rate);
      loss = update.loss;
      if (fit.verify_is_due(fit.progress().step)) fit.step_runner().verify();
      if (update.ends_epoch) fit.end_epoch({});
    } catch (const DivergedError&) {  // on all ranks
    }
    if (request.progress && ranks.is_root()) request.progress(fit.progress().step);
    if (add_point(sweep, rate, loss)) break;
  }
  fit.step_runner().settle();
  return sweep;
}

}  // namespace convoy::train
