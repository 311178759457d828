// Whole steps on random pictures.

#include <algorithm>
#include <chrono>

#include "convoy/data/noise.hpp"
#include "convoy/train/benchmark.hpp"
#include "convoy/train/engine.hpp"
#include "epoch_order.hpp"
#include "setup.hpp"
#include "stepper.hpp"

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

StepTime measure_steps(const comm::Communicator& world, const nn::Network& network, const Options& options,
                       const BenchmarkSetting& setting) {
  using Clock = std::chrono::steady_clock;
  Options its = options;
  its.threads = setting.threads;
  check_ranks(its, world.size());
  const std::int64_t samples = sample_count(network.input(), its.batch);
  const data::Split split = data::make_noise(network.input(), samples, network.classes());
  const Source source{&split, data::noise_transform(network.input())};
  EpochOrder order(samples, its.data.shuffle, its.seed);
  (void)order.begin_epoch(0);
  const Hooks no_hooks;
  Stepper stepper(its, world, network, setting.kernels, source, no_hooks);
  network.initialise(its.seed, stepper.state().parameters, stepper.state().statistics);
  world.barrier();  // ranks of a host share the values
  stepper.prepare();

  std::int64_t done = 0;
  const auto step = [&] {
    // At a rate of 0 nothing is learnt from noise, so nothing can diverge.
    (void)stepper.step({.step = done,
                        .epoch = order.epoch(),
                        .batch = order.batch(done % (samples / its.batch), its.batch),
                        .rate = 0,
                        .verify_follows = false,
                        .note = {}});
    ++done;
  };
  for (int i = 0; i < kStepsToWarmUp; ++i) step();

  stepper.start_profile();
  std::vector<double> seconds;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  const Clock::time_point begin = Clock::now();
  do {  // whether to go on is asked now and then only: the question is a collective of its own
    Clock::time_point start = Clock::now();
    for (std::size_t i = 0; i < kFewestSteps; ++i) {
      step();
      seconds.push_back(since(start));
      start = Clock::now();
    }
  } while (world.broadcast_value(since(begin) < kMeasurements * setting.seconds));
  stepper.settle();
  return {.steps = stepper.profile()->steps(),
          .seconds = world.broadcast_value(median(seconds)),
          .work = work_of_step(network, its.batch),
          .times = stepper.profile()->times()};
}

}  // namespace convoy::train
