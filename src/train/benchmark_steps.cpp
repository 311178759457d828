// Whole steps of one rank on random pictures.

#include <algorithm>
#include <chrono>

#include "convoy/data/noise.hpp"
#include "convoy/train/benchmark.hpp"
#include "convoy/train/engine.hpp"
#include "epoch_order.hpp"
#include "leaf_sums.hpp"
#include "setup.hpp"

namespace convoy::train {
namespace {

constexpr int kStepsToWarmUp = 2;
constexpr std::size_t kFewestSteps = 5;
constexpr double kMeasurements = 10;  // a step is given the time of so many passes

/// Enough pictures that they come from memory, as a real data set's do; whole batches.
std::int64_t sample_count(const Shape& picture, std::int64_t batch) {
  constexpr std::int64_t kBytes = std::int64_t{64} << 20;
  constexpr std::int64_t kMost = 60'000;
  const std::int64_t samples = std::min(kBytes / picture.size(), kMost);
  return std::max<std::int64_t>(1, samples / batch) * batch;
}

PassWork work_of_step(const nn::Network& network, std::int64_t samples) {
  PassWork sum;
  for (const nn::Operation& operation : nn::plan_operations(network)) {
    const Passes<PassWork> work = work_of(network, operation, samples);
    for (const auto& pass : {work.forward, work.diff_src, work.diff_weights})
      if (pass) sum.multiply_adds += pass->multiply_adds;
  }
  return sum;
}

}  // namespace

StepTime measure_steps(const nn::Network& network, const Options& options, const BenchmarkSetting& setting) {
  using Clock = std::chrono::steady_clock;
  const std::int64_t leaves = ceil_div(options.batch, options.micro_batch);
  const std::int64_t samples = sample_count(network.input(), options.batch);
  const data::Split split = data::make_noise(network.input(), samples, network.classes());
  const Source source{&split, data::noise_transform(network.input())};
  EpochOrder order(samples, options.data.shuffle, options.seed);
  (void)order.begin_epoch(0);

  Engine engine(network, setting.kernels, setting.threads, options.micro_batch, options.precision);
  const StepPlan plan = plan_step(leaves, {0, leaves}, setting.threads);
  const std::vector<optim::ParameterRange> ranges = decay_ranges(network);
  LeafSums sums(comm::Communicator::self());
  State state = make_state(network, options.optimizer.momentum);
  network.initialise(options.seed, state.parameters, state.statistics);

  std::int64_t done = 0;
  const auto step = [&](Profile* profile) {
    const StepTimer whole(profile);
    engine.gradients(plan, source, state, order.batch(done % (samples / options.batch), options.batch),
                     options.seed, order.epoch(), sums.places(leaves));
    PartTimer timer(profile);
    (void)sums.sum(leaves);
    timer.book(Activity::kReduction);
    // At a rate of 0 nothing is learnt from noise, so nothing can diverge.
    engine.update(plan,
                  {.sgd = &options.optimizer,
                   .ranges = &ranges,
                   .rate = 0,
                   .samples = static_cast<float>(options.batch),
                   .first_step = done == 0},
                  state);
    ++done;
  };
  for (int i = 0; i < kStepsToWarmUp; ++i) step(nullptr);

  Profile profile(setting.threads);
  engine.set_profile(&profile);
  std::vector<double> seconds;
  const Clock::time_point begin = Clock::now();
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  while (seconds.size() < kFewestSteps || since(begin) < kMeasurements * setting.seconds) {
    const Clock::time_point start = Clock::now();
    step(&profile);
    seconds.push_back(since(start));
  }
  return {.steps = profile.steps(),
          .seconds = median(seconds),
          .work = work_of_step(network, options.batch),
          .times = profile.times()};
}

}  // namespace convoy::train
