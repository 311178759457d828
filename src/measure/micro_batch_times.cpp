// Times each operation of a micro-batch as the Engine runs it.

#include <chrono>

#include "convoy/core/median.hpp"
#include "convoy/data/noise.hpp"
#include "convoy/measure/comm_replay.hpp"
#include "convoy/step/engine.hpp"
#include "convoy/step/loss_sums.hpp"

namespace convoy::measure {
namespace {

using Clock = std::chrono::steady_clock;

/// Records when the first thread begins forward and ends backward of each operation of its only micro-batch.
class OperationClock final : public step::GradientHook {
 public:
  explicit OperationClock(std::size_t operations) : begins_(operations), ends_(operations) {}
  void before(int operation, int thread) noexcept override {
    if (thread == 0) begins_[static_cast<std::size_t>(operation)] = Clock::now();
  }
  void between(int) noexcept override {}
  void after(int operation, int thread, bool) noexcept override {
    if (thread == 0) ends_[static_cast<std::size_t>(operation)] = Clock::now();
  }
  void finish(int) noexcept override {}

  /// Adds the times of a step that started at `start`.
  void add_to(Clock::time_point start, std::vector<std::vector<double>>& forward,
              std::vector<std::vector<double>>& backward) const {
    const auto seconds = [](Clock::time_point a, Clock::time_point b) {
      return std::chrono::duration<double>(b - a).count();
    };
    const std::size_t count = begins_.size();
    for (std::size_t i = 0; i + 1 < count; ++i) {
      forward[i].push_back(seconds(i == 0 ? start : begins_[i], begins_[i + 1]));
      backward[i].push_back(seconds(ends_[i + 1], ends_[i]));
    }
    // The hook is not called between the last operation's forward and backward. Backward has two of the three
    // products, so it gets two thirds of the time.
    const double both = seconds(count == 1 ? start : begins_.back(), ends_.back());
    forward.back().push_back(both / 3);
    backward.back().push_back(2 * both / 3);
  }

 private:
  std::vector<Clock::time_point> begins_;
  std::vector<Clock::time_point> ends_;
};

std::vector<double> medians(const std::vector<std::vector<double>>& all) {
  std::vector<double> result;
  for (const std::vector<double>& each : all) result.push_back(median(each));
  return result;
}

}  // namespace

MicroBatchTimes measure_micro_batch(const nn::Network& network, const step::Options& options,
                                    const BenchmarkSetting& setting) {
  constexpr int kStepsToWarmUp = 2;
  constexpr std::size_t kFewestSteps = 5;
  const std::int64_t leaves = setting.threads;
  const std::int64_t samples = leaves * options.micro_batch;
  const data::Split split = data::make_noise(network.input(), samples, network.classes());
  const step::Source source{&split, data::noise_transform(network.input())};
  std::vector<std::int64_t> batch(static_cast<std::size_t>(samples));
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i] = static_cast<std::int64_t>(i);
  step::Engine engine(network, {.kernels = setting.kernels,
                                .threads = setting.threads,
                                .micro_batch = options.micro_batch,
                                .precision = options.precision,
                                .wire = options.comm.wire});
  const step::StepPlan plan = step::plan_step(leaves, {0, leaves}, setting.threads);
  model::State state = model::make_state(network);
  network.initialise(options.seed, state.parameters, state.statistics);
  step::LossSums sums(comm::Communicator::self());

  const std::size_t operations = passes::operation_ranges(network).size();
  std::vector<std::vector<double>> forward(operations);
  std::vector<std::vector<double>> backward(operations);
  OperationClock clock(operations);
  const Clock::time_point begin = Clock::now();
  for (std::size_t step = 0; step < kStepsToWarmUp + kFewestSteps ||
                             std::chrono::duration<double>(Clock::now() - begin).count() < setting.seconds;
       ++step) {
    const Clock::time_point start = Clock::now();
    engine.gradients({.plan = plan,
                      .source = source,
                      .state = state,
                      .batch = batch,
                      .seed = options.seed,
                      .leaves = sums.places(leaves),
                      .hook = &clock});
    if (step >= kStepsToWarmUp) clock.add_to(start, forward, backward);
  }
  return {medians(forward), medians(backward)};
}

}  // namespace convoy::measure
