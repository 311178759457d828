#include "plan_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "convoy/comm/tree.hpp"
#include "convoy/core/memory.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/order.hpp"
#include "convoy/model/parameter_groups.hpp"
#include "convoy/step/batch_plan.hpp"

namespace convoy::train {
namespace {

constexpr auto kFloatBytes = static_cast<std::int64_t>(sizeof(float));

/// Memory of a rank beside the Engine's, bytes.
struct HeldBytes {
  std::int64_t state = 0;       ///< parameters and optimizer
  std::int64_t checkpoint = 0;  ///< this rank's copy for the checkpoint being written
  std::int64_t buffers = 0;     ///< of streamed images, in shared memory
  std::int64_t node_peers = 0;  ///< gradients of the node's other ranks, in shared memory
  std::int64_t others = 0;      ///< program, libraries, data
};

/// Reads every sample once, so that pages shared by the ranks of a node count in this rank's resident memory.
void look_at(const step::Source& source) {
  if (source.split->is_streamed()) return;
  const std::int64_t all = source.split->samples();
  std::vector<float> images(static_cast<std::size_t>(source.transform.shape.size() * kLanes));
  std::array<std::int64_t, kLanes> samples{};
  for (std::int64_t first = 0; first < all; first += kLanes) {
    const auto count = static_cast<std::size_t>(std::min(kLanes, all - first));
    std::iota(samples.begin(), samples.end(), first);
    source.split->load(std::span(samples).first(count), source.transform, images.data());
  }
}

/// The whole snapshot on rank 0, or an equal share on every rank if all write.
std::int64_t snapshot_bytes(const config::Options& options, const comm::Communicator& world,
                            const nn::Network& network, const model::State& state) {
  const std::int64_t all = (network.gradient_size() +
                            static_cast<std::int64_t>(state.optimizer.size()) * network.parameter_count()) *
                           kFloatBytes;
  if (options.checkpoint_writers == model::Writers::kAll) return all / world.size();
  return world.is_root() ? all : 0;
}

std::int64_t buffer_bytes(const config::Options& options, const data::Split& split) {
  if (!split.is_streamed()) return 0;
  const data::SampleOrder order(split, options.data, options.seed, options.batch);
  return 2 * order.most_in_portion() * split.image_bytes();
}

std::string describe_plan(const nn::Network& network, const step::StepPlan& plan, const step::Engine& engine,
                          const HeldBytes& held) {
  std::string text = "Calls:\n" + passes::describe_operations(network, engine.planner(), engine.micro_batch(),
                                                              engine.precision());
  const auto groups = static_cast<std::int64_t>(plan.groups.size());
  const std::int64_t least = engine.threads() / std::max<std::int64_t>(groups, 1);
  const std::int64_t most = groups > 0 && engine.threads() % groups != 0 ? least + 1 : least;
  text += fmt::format("Threads: {} of {}{}, {} a step between them\n", counted(groups, "group"),
                      most > least ? std::to_string(least) + " or " : "", counted(most, "thread"),
                      counted(plan.block.size(), "micro-batch"));
  const std::int64_t workspaces = engine.workspace_bytes();
  const std::int64_t gradients = engine.gradient_bytes();
  text += fmt::format(
      "Memory of this rank: {} (activations and scratch {}, gradients {}{}, parameters and optimizer {}{}{}, "
      "program, libraries and data set {})\n",
      in_bytes(workspaces + gradients + held.state + held.checkpoint + held.buffers + held.node_peers +
               held.others),
      in_bytes(workspaces), in_bytes(gradients),
      held.node_peers > 0 ? ", those of this node's other ranks " + in_bytes(held.node_peers) : std::string(),
      in_bytes(held.state),
      held.checkpoint > 0 ? ", their copy while a checkpoint is written " + in_bytes(held.checkpoint)
                          : std::string(),
      held.buffers > 0 ? ", this node's buffers of images " + in_bytes(held.buffers) : std::string(),
      in_bytes(held.others));
  return text;
}

}  // namespace

std::string plan_report(const config::Options& options, const comm::Communicator& world,
                        const nn::Network& network, step::StepRunner& step_runner, const step::Source& train,
                        const step::Source* test) {
  const model::State& of = step_runner.state();
  const std::int64_t state = (network.gradient_size() + of.kept()) * kFloatBytes;
  look_at(train);
  if (test != nullptr) look_at(*test);
  // Subtract gradient slots from the resident memory: the engine already counts them as gradients.
  const HeldBytes held{.state = state,
                       .checkpoint = snapshot_bytes(options, world, network, of),
                       .buffers = buffer_bytes(options, *train.split),
                       .node_peers = step_runner.bytes_of_node_peers(),
                       .others = resident_bytes() - state - step_runner.engine().gradient_bytes()};
  const step::StepPlan& plan = step_runner.prepare_plans();
  step::Engine& engine = step_runner.engine();
  if (test != nullptr)
    engine.prepare_evaluation(comm::leaf_block(step::BatchPlan(options).micro_batches(test->split->samples()),
                                               world.size(), world.rank())
                                  .size());
  return model::describe_groups(network, options.parameter_groups) +
         describe_plan(network, plan, engine, held);
}

}  // namespace convoy::train
