// Times whole steps on random images.

#include <algorithm>

#include "convoy/data/noise.hpp"
#include "convoy/measure/benchmark.hpp"
#include "convoy/measure/median_step.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/engine.hpp"
#include "convoy/step/epoch_order.hpp"
#include "convoy/step/step_runner.hpp"

namespace convoy::measure {
namespace {

constexpr int kStepsToWarmUp = 2;
constexpr double kMeasurements = 10;  // time for steps, as a multiple of setting.seconds

/// A whole number of batches; enough images to be read from memory, as with a real data set.
std::int64_t sample_count(const Shape& image, std::int64_t batch) {
  constexpr std::int64_t kBytes = std::int64_t{64} << 20;
  constexpr std::int64_t kMost = 60'000;
  const std::int64_t samples = std::min(kBytes / image.size(), kMost);
  return std::max<std::int64_t>(1, samples / batch) * batch;
}

PassWork work_of_step(const nn::Network& network, std::int64_t samples) {
  PassWork sum;
  for (const passes::Operation& operation : passes::plan_operations(network)) {
    const Passes<PassWork> work = work_of(network, operation, samples);
    for (const auto& pass : {work.forward, work.diff_src, work.diff_weights})
      if (pass) sum.multiply_adds += pass->multiply_adds;
  }
  return sum;
}

}  // namespace

StepTime measure_steps(const comm::Communicator& world, const nn::Network& network,
                       const step::Options& options, const BenchmarkSetting& setting) {
  step::Options its = options;
  its.threads = setting.threads;
  step::BatchPlan(its).require_work_for(world.size());
  const std::int64_t samples = sample_count(network.input(), its.batch);
  const data::Split split = data::make_noise(network.input(), samples, network.classes());
  const step::Source source{&split, data::noise_transform(network.input())};
  step::EpochOrder order(data::SampleOrder(split, its.data, its.seed, its.batch));
  (void)order.begin_epoch(0);
  const step::Hooks no_hooks;
  step::StepRunner step_runner(its, world, network, setting.kernels, source, no_hooks);
  network.initialise(its.seed, step_runner.state().parameters, step_runner.state().statistics);
  world.barrier();  // the ranks of a node share the values

  std::int64_t done = 0;
  const auto step = [&] {
    // Learning rate 0: the network does not learn the noise, so the loss cannot diverge.
    (void)step_runner.step({.step = done,
                            .epoch = order.epoch(),
                            .batch = order.batch(done % (samples / its.batch), its.batch),
                            .learning_rate = 0,
                            .verify_follows = false,
                            .request = {}});
    ++done;
  };
  for (int i = 0; i < kStepsToWarmUp; ++i) step();

  step_runner.start_profile();
  const double seconds = median_step(world, kMeasurements * setting.seconds, step);
  step_runner.settle();
  return {.steps = step_runner.profile().steps(),
          .seconds = seconds,
          .work = work_of_step(network, its.batch),
          .times = step_runner.profile().times()};
}

}  // namespace convoy::measure
