// Times single layers; each pass runs on all teams at once.

#include <algorithm>
#include <numeric>

#include "convoy/core/aligned.hpp"
#include "convoy/core/integer.hpp"
#include "convoy/core/random.hpp"
#include "convoy/measure/benchmark.hpp"
#include "convoy/measure/team_timer.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/step_plan.hpp"
#include "convoy/step/team_pool.hpp"

namespace convoy::measure {
namespace {

AlignedBuffer<float> random_numbers(std::int64_t size) {
  AlignedBuffer<float> numbers(size);
  RandomStream stream(random_key(0, RandomPurpose::kTest));
  for (float& number : numbers.span()) number = static_cast<float>(stream.uniform(-1, 1));
  return numbers;
}

/// The buffers of one team for one operation, as in a Workspace.
struct Bench {
  Bench() = default;
  Bench(const nn::Network& network, const passes::Operation& the_operation, const nn::CallSetting& setting)
      : operation(the_operation), precision(setting.precision) {
    const nn::Node& node = network.nodes()[static_cast<std::size_t>(operation.node)];
    const nn::Layer& layer = *node.layer;
    const auto elements = [&](const Shape& shape) { return setting.blocks * shape.size() * kLanes; };
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      src.at(k) = random_numbers(elements(network.shape_of(node.inputs[k])));
      diff_src.at(k) = AlignedBuffer<float>(src.at(k).size());
    }
    dst = AlignedBuffer<float>(elements(layer.output()));
    diff_dst = random_numbers(dst.size());
    if (caller_differentiates(operation, layer.traits())) differentiated = AlignedBuffer<float>(dst.size());
    if (operation.addend != passes::Operation::kNone) addend = random_numbers(dst.size());
    parameters = random_numbers(nn::parameter_count(layer));
    diff_parameters = AlignedBuffer<float>(parameters.size());
    std::int64_t size = 0;
    for (const nn::Statistic& statistic : layer.statistics()) size += count(statistic.dims);
    statistics = AlignedBuffer<float>(size);
    batch_statistics = AlignedBuffer<float>(size);
    scratch = AlignedBuffer<float>(layer.scratch_size(setting));
    saved =
        AlignedBuffer<std::byte>(layer.saved_bytes(setting.blocks, static_cast<std::int64_t>(sizeof(float))));
  }

  /// Arguments of the layer's passes, forward and backward; diff_src only if `with_diff_src`.
  [[nodiscard]] nn::Pass<float> pass(const kernels::KernelTable<float>& kernels, const Team& team,
                                     const nn::MicroBatch& batch, bool with_diff_src) {
    nn::Pass<float> made{.kernels = kernels, .team = team, .batch = batch, .precision = precision};
    for (std::size_t k = 0; k < nn::kMostInputs; ++k) {
      made.src.at(k) = src.at(k).data();
      if (with_diff_src) made.diff_src.at(k) = diff_src.at(k).data();
    }
    made.dst = dst.data();
    made.epilogue = {.addend = addend.data(), .activation = operation.activation};
    made.parameters = parameters.data();
    made.statistics = statistics.data();
    made.diff_dst = diff_dst.data();
    made.diff_parameters = diff_parameters.data();
    made.batch_statistics = batch_statistics.data();
    made.saved = saved.data();
    made.scratch = scratch.data();
    return made;
  }

  std::array<AlignedBuffer<float>, nn::kMostInputs> src, diff_src;
  AlignedBuffer<float> dst, diff_dst, differentiated, addend;
  AlignedBuffer<float> parameters, diff_parameters, statistics, batch_statistics;
  AlignedBuffer<float> scratch;
  AlignedBuffer<std::byte> saved;
  passes::Operation operation;
  Precision precision = Precision::kFloat32;
};

/// One team's seconds of each pass.
using PassSeconds = Passes<double>;

PassSeconds measure_passes(const nn::Layer& layer, const Passes<PassWork>& wanted, Bench& bench,
                           const BenchmarkSetting& setting, const Team& team, const nn::MicroBatch& batch,
                           TeamTimer& clock) {
  const auto median = [&](const auto& work) { return clock.measure(team, setting.seconds, work).median; };
  const auto backward = [&](bool with_diff_src) {
    nn::Pass<float> pass = bench.pass(setting.kernels, team, batch, with_diff_src);
    return median([&] {
      if (caller_differentiates(bench.operation, layer.traits())) {
        pass.diff_dst = bench.differentiated.data();  // separate buffer, so that every lap has the same input
        setting.kernels.activation_backward(bench.operation.activation, bench.dst.size(), pass.dst,
                                            bench.diff_dst.data(), pass.diff_dst, team);
      }
      layer.backward(pass);
    });
  };
  PassSeconds seconds;
  const nn::Pass<float> forward = bench.pass(setting.kernels, team, batch, false);
  seconds.forward = median([&] { layer.forward(forward); });
  if (wanted.diff_weights) seconds.diff_weights = backward(false);
  if (wanted.diff_src) {
    const double without = seconds.diff_weights.value_or(0);
    seconds.diff_src = std::max(0., backward(true) - without);
  }
  return seconds;
}

/// Combines pass `which` of all teams: total work, mean time.
std::optional<PassTime> combine(const std::vector<PassSeconds>& teams, const Passes<PassWork>& work,
                                std::optional<double> PassSeconds::*seconds,
                                std::optional<PassWork> Passes<PassWork>::*which) {
  if (!(work.*which)) return std::nullopt;
  const auto count = static_cast<double>(teams.size());
  PassTime time{
      .work = {.multiply_adds = (work.*which)->multiply_adds * count, .bytes = (work.*which)->bytes * count}};
  for (const PassSeconds& team : teams) time.seconds += (team.*seconds).value_or(0) / count;
  return time;
}

}  // namespace

std::int64_t teams_of(const step::Options& options, int threads) {
  const std::int64_t leaves = step::BatchPlan(options).micro_batches();
  return static_cast<std::int64_t>(step::plan_step(leaves, {0, leaves}, threads).groups.size());
}

std::vector<LayerTimes> measure_layers(const nn::Network& network, const step::Options& options,
                                       const BenchmarkSetting& setting) {
  const std::int64_t teams = teams_of(options, setting.threads);
  const auto count = static_cast<std::size_t>(teams);
  const auto largest_team = static_cast<int>(ceil_div(setting.threads, teams));
  std::vector<std::int64_t> samples(static_cast<std::size_t>(options.micro_batch));
  std::iota(samples.begin(), samples.end(), 0);
  const nn::MicroBatch batch{.phase = nn::Phase::kTraining, .samples = samples, .seed = options.seed};

  step::TeamPool pool(setting.threads, setting.kernels.enter_thread);
  std::vector<TeamTimer> clocks(count);
  std::vector<LayerTimes> layers;
  for (const passes::Operation& operation : passes::plan_operations(network)) {
    const nn::Layer& layer = *network.nodes()[static_cast<std::size_t>(operation.node)].layer;
    const Passes<PassWork> work = work_of(network, operation, options.micro_batch);
    std::vector<Bench> benches(count);
    std::vector<PassSeconds> seconds(count);
    pool.make(teams, [&](std::int64_t g) {
      benches[static_cast<std::size_t>(g)] = Bench(network, operation,
                                                   {.planner = setting.kernels.planner,
                                                    .blocks = lane_blocks(options.micro_batch),
                                                    .threads = largest_team,
                                                    .precision = options.precision});
    });
    pool.run(teams, [&](std::int64_t g, const Team& team) {
      const auto mine = static_cast<std::size_t>(g);
      const PassSeconds measured =
          measure_passes(layer, work, benches[mine], setting, team, batch, clocks[mine]);
      if (team.index() == 0) seconds[mine] = measured;
    });
    layers.push_back(
        {.name = passes::describe(network, operation),
         .description = layer.description(),
         .output = layer.output(),
         .passes = {.forward = combine(seconds, work, &PassSeconds::forward, &Passes<PassWork>::forward),
                    .diff_src = combine(seconds, work, &PassSeconds::diff_src, &Passes<PassWork>::diff_src),
                    .diff_weights = combine(seconds, work, &PassSeconds::diff_weights,
                                            &Passes<PassWork>::diff_weights)}});
  }
  return layers;
}

}  // namespace convoy::measure
