#include "convoy/step/engine.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

namespace convoy::step {
namespace {

/// The samples of micro-batch `leaf`.
std::span<const std::int64_t> leaf_samples(std::span<const std::int64_t> samples, std::int64_t leaf,
                                           std::int64_t micro_batch) {
  const auto first = static_cast<std::size_t>(leaf * micro_batch);
  return samples.subspan(first, std::min(static_cast<std::size_t>(micro_batch), samples.size() - first));
}

}  // namespace

void add_gradients(const kernels::KernelTable<float>& kernels, comm::Wire wire, std::int64_t size,
                   float* left, const float* right, const Team& team) {
  if (wire == comm::Wire::kFloat32) return kernels.accumulate(size, left, right, team);
  const Range share = team.share(size);
  comm::add_node(wire, {left + share.begin, static_cast<std::size_t>(share.size())}, right + share.begin);
  team.barrier();
}

Engine::Engine(const nn::Network& network, EngineSetting setting)
    : network_(network),
      setting_(std::move(setting)),
      pool_(setting_.threads, setting_.kernels.enter_thread),
      ranges_(passes::operation_ranges(network)),
      operations_(passes::plan_operations(network)),
      apart_(setting_.together > 1 ? passes::operations_apart(network) : 0) {
  assert(setting_.together == 1 || (!setting_.trains && setting_.micro_batch == kLanes));
}

MicroBatchResult Engine::loss_of(const data::Split& split, const nn::MicroBatch& micro_batch, Group& group,
                                 passes::Workspace<float>& workspace, std::int64_t block) {
  if (split.target_size() == 0) {
    const auto labels = std::span(group.labels).first(micro_batch.samples.size());
    split.copy_labels(micro_batch.samples, labels);
    return workspace.loss(micro_batch, labels, block);
  }
  // Allocates only for the first, largest micro-batch.
  group.targets.resize(micro_batch.samples.size() * static_cast<std::size_t>(split.target_size()));
  split.copy_targets(micro_batch.samples, group.targets);
  return workspace.loss(micro_batch, group.targets, block);
}

void Engine::prepare_groups(std::int64_t groups, std::int64_t workspaces) {
  groups_.resize(std::max(groups_.size(), static_cast<std::size_t>(groups)));
  const auto team_of = [&](std::int64_t g) {
    return static_cast<int>(split(pool_.threads(), groups, g).size());
  };
  const auto is_ready = [&](std::int64_t g) {
    const Group& group = groups_[static_cast<std::size_t>(g)];
    return group.team >= team_of(g) && static_cast<std::int64_t>(group.workspaces.size()) >= workspaces;
  };
  bool all_are_ready = true;
  for (std::int64_t g = 0; g < groups; ++g) all_are_ready = all_are_ready && is_ready(g);
  if (all_are_ready) return;
  pool_.make(groups, [&](std::int64_t g) {
    Group& group = groups_[static_cast<std::size_t>(g)];
    if (is_ready(g)) return;
    if (group.team < team_of(g)) group.workspaces.clear();  // free memory before larger workspaces are made
    group.team = std::max(group.team, team_of(g));
    while (static_cast<std::int64_t>(group.workspaces.size()) < workspaces) {
      group.workspaces.push_back(std::make_unique<passes::Workspace<float>>(
          network_, setting_.kernels.planner, setting_.together * setting_.micro_batch,
          passes::WorkspaceOptions{.threads = group.team,
                                   .precision = setting_.precision,
                                   .trains = setting_.trains,
                                   .apart = apart_}));
    }
    group.labels.resize(static_cast<std::size_t>(setting_.micro_batch));
    group.numbers.resize(static_cast<std::size_t>(setting_.together * setting_.micro_batch));
  });
}

void Engine::prepare(const StepPlan& plan) {
  if (plan.groups.empty()) return;
  std::int64_t most = 0;
  for (const auto& work : plan.groups) most = std::max(most, static_cast<std::int64_t>(work.size()));
  prepare_groups(static_cast<std::int64_t>(plan.groups.size()), std::min(setting_.layerwise, most));
  while (setting_.slots.empty() && static_cast<std::int64_t>(slots_.size()) < plan.slots)
    slots_.emplace_back(network_.gradient_size());
}

PartTimer Engine::timer_of(std::int64_t groups, std::int64_t group, const Team& team) const {
  return {setting_.profile, static_cast<int>(split(threads(), groups, group).begin) + team.index()};
}

void Engine::prepare_evaluation(std::int64_t leaves) {
  if (leaves > 0) prepare_groups(std::min<std::int64_t>(threads(), leaves), 1);
}

void Engine::gradients(const GradientTask& task) {
  if (task.plan.groups.empty()) {
    if (task.hook != nullptr) task.hook->finish(0);
    return;
  }
  prepare(task.plan);
  pool_.run(static_cast<std::int64_t>(task.plan.groups.size()),
            [&](std::int64_t g, const Team& team) { run_group(task, g, team); });
  task.source.split->require_intact();
}

void Engine::load(const GradientTask& task, const nn::MicroBatch& micro_batch, float* input) {
  task.source.split->load(micro_batch.samples, task.source.transform, input,
                          {.augmentation = &task.source.augmentation,
                           .seed = task.seed,
                           .epoch = task.epoch,
                           .stream = task.stream});
}

void Engine::run_group(const GradientTask& task, std::int64_t g, const Team& team) {
  const auto groups = static_cast<std::int64_t>(task.plan.groups.size());
  const int thread = static_cast<int>(split(threads(), groups, g).begin) + team.index();
  const std::vector<StepPlan::Leaf>& work = task.plan.groups[static_cast<std::size_t>(g)];
  Group& group = groups_[static_cast<std::size_t>(g)];
  const passes::Values<float> values{task.state.parameters.data(), task.state.statistics.data()};
  PartTimer timer = timer_of(groups, g, team);

  const auto micro_batch_of = [&](const StepPlan::Leaf& leaf) {
    return nn::MicroBatch{.phase = nn::Phase::kTraining,
                          .samples = leaf_samples(task.batch, leaf.leaf, setting_.micro_batch),
                          .seed = task.seed,
                          .epoch = task.epoch};
  };
  const auto by_one = [&](const auto& f) {
    if (team.index() == 0) f();
    team.barrier();
  };
  const int operations = group.workspaces.front()->operation_count();
  const auto begin = [&](std::int64_t i, std::int64_t place) {
    timer.book(Activity::kReduction);
    by_one([&] {
      load(task, micro_batch_of(work[static_cast<std::size_t>(i)]),
           group.workspaces[static_cast<std::size_t>(place)]->input());
    });
    timer.book(Activity::kData);
  };
  const auto forward = [&](std::int64_t i, std::int64_t place, int operation) {
    const StepPlan::Leaf& leaf = work[static_cast<std::size_t>(i)];
    const nn::MicroBatch micro_batch = micro_batch_of(leaf);
    passes::Workspace<float>& workspace = *group.workspaces[static_cast<std::size_t>(place)];
    timer.book(Activity::kReduction);
    workspace.forward_operation(operation, setting_.kernels, team, values, micro_batch);
    if (task.outputs) show_output(task, leaf.leaf, operation, micro_batch, workspace, team);
    tick();
    if (operation + 1 == operations) {
      by_one([&] {
        task.leaves[static_cast<std::size_t>(leaf.leaf - task.plan.block.begin)] =
            loss_of(*task.source.split, micro_batch, group, workspace);
      });
    }
    timer.book(Activity::kKernels);
  };
  const auto backward = [&](std::int64_t i, std::int64_t place, int operation) {
    const StepPlan::Leaf& leaf = work[static_cast<std::size_t>(i)];
    passes::Workspace<float>& workspace = *group.workspaces[static_cast<std::size_t>(place)];
    timer.book(Activity::kReduction);
    workspace.backward_operation(operation, setting_.kernels, team, values, micro_batch_of(leaf),
                                 slot(leaf.slot));
    tick();
    timer.book(Activity::kKernels);
    add_gradient(task, leaf, operation, team);
  };
  run_schedule({.micro_batches = static_cast<std::int64_t>(work.size()),
                .layerwise = setting_.layerwise,
                .operations = operations,
                .thread = thread,
                .is_first = team.index() == 0},
               task.hook, begin, forward, backward);
  timer.book(Activity::kReduction);
}

void Engine::show_output(const GradientTask& task, std::int64_t leaf, int operation,
                         const nn::MicroBatch& batch, const passes::Workspace<float>& workspace,
                         const Team& team) const {
  if (team.index() == 0) {
    const int node = operations_[static_cast<std::size_t>(operation)].output;
    const std::int64_t size = batch.blocks() * network_.shape_of(node).size() * kLanes;
    task.outputs(leaf, operation, {workspace.output_of(node), static_cast<std::size_t>(size)});
  }
  team.barrier();  // the next operation may write in the same place
}

void Engine::add_gradient(const GradientTask& task, const StepPlan::Leaf& leaf, int operation,
                          const Team& team) {
  const passes::OperationRanges& ranges = ranges_[static_cast<std::size_t>(operation)];
  if (task.observer) {
    const auto part = [&](const Range& range) {
      return std::span(slot(leaf.slot) + range.begin, static_cast<std::size_t>(range.size()));
    };
    team.barrier();
    if (team.index() == 0)
      task.observer(leaf.leaf, operation, part(ranges.parameters), part(ranges.statistics));
    team.barrier();
  }
  if (setting_.wire != comm::Wire::kFloat32 && ranges.parameters.size() > 0) {
    const Range share = team.share(ranges.parameters.size());
    float* first = slot(leaf.slot) + ranges.parameters.begin + share.begin;
    comm::round_node(setting_.wire, {first, static_cast<std::size_t>(share.size())});
    team.barrier();
  }
  const auto add = [&](const StepPlan::Merge& each, comm::Wire wire, const Range& range) {
    if (range.size() > 0)
      add_gradients(setting_.kernels, wire, range.size(), slot(each.left) + range.begin,
                    slot(each.right) + range.begin, team);
  };
  for (const StepPlan::Merge& each : leaf.merges) {
    add(each, setting_.wire, ranges.parameters);
    add(each, comm::Wire::kFloat32, ranges.statistics);
  }
}

void Engine::finish_sums(const StepPlan& plan, const Range& elements) {
  const bool is_parameter = elements.begin < network_.parameter_count();
  const comm::Wire wire = is_parameter ? setting_.wire : comm::Wire::kFloat32;  // statistics stay float32
  for (const StepPlan::Merge& each : plan.final_merges)
    add_gradients(setting_.kernels, wire, elements.size(), slot(each.left) + elements.begin,
                  slot(each.right) + elements.begin, Team());
}

template <class Function>
void Engine::for_each_stretch(const Function& f) {
  constexpr std::int64_t kStretch = 8192;
  pool_.run(1, [&](std::int64_t, const Team& team) {
    PartTimer timer = timer_of(1, 0, team);
    const Range share = team.share(network_.gradient_size());
    for (std::int64_t begin = share.begin, end = 0; begin < share.end; begin = end) {
      end = std::min(begin + kStretch, share.end);
      if (begin < network_.parameter_count()) end = std::min(end, network_.parameter_count());
      f(Range{begin, end}, timer);
    }
  });
}

void Engine::update(const StepPlan& plan, const model::Update& update, model::State& state,
                    model::NormSums* norms) {
  float* const sum = slot(plan.nodes.front().slot);
  if (norms == nullptr) {
    for_each_stretch([&](const Range& elements, PartTimer& timer) {
      finish_sums(plan, elements);
      timer.book(Activity::kReduction);
      update.apply(elements, sum + elements.begin, state);
      timer.book(Activity::kOptimizer);
    });
    return;
  }
  for_each_stretch([&](const Range& elements, PartTimer& timer) {
    finish_sums(plan, elements);
    timer.book(Activity::kReduction);
  });
  model::Update with_norms = update;
  with_norms.norms = &norms->norms();
  norms->restart();
  for (int stage = 0; stage < norms->stages(); ++stage) {
    pool_.run(1, [&](std::int64_t, const Team& team) {
      PartTimer timer = timer_of(1, 0, team);
      const Range share = team.share(static_cast<std::int64_t>(norms->blocks().size()));
      for (std::int64_t i = share.begin; i < share.end; ++i) {
        const model::NormBlock& block = norms->blocks()[static_cast<std::size_t>(i)];
        with_norms.measure(stage, block.tensor, block.elements, sum + block.elements.begin, state,
                           norms->squares(stage, i));
      }
      timer.book(Activity::kOptimizer);
    });
    norms->finish(stage);
  }
  for_each_stretch([&](const Range& elements, PartTimer& timer) {
    with_norms.apply(elements, sum + elements.begin, state);
    timer.book(Activity::kOptimizer);
  });
}

void Engine::evaluate(const Source& source, const data::Stream* stream, const model::State& state,
                      const Range& block, std::span<MicroBatchResult> leaves, std::span<float> outputs) {
  if (block.size() == 0) return;
  const std::int64_t groups = std::min<std::int64_t>(threads(), block.size());
  prepare_evaluation(block.size());
  const passes::Values<float> values{state.parameters.data(), state.statistics.data()};
  const std::int64_t samples = source.split->samples();

  pool_.run(groups, [&](std::int64_t g, const Team& team) {
    Group& group = groups_[static_cast<std::size_t>(g)];
    passes::Workspace<float>& workspace = *group.workspaces.front();
    const Range part = split(block.size(), groups, g);
    for (std::int64_t i = part.begin, end = 0; i < part.end; i = end) {
      end = std::min(i + setting_.together, part.end);
      const std::int64_t first = (block.begin + i) * setting_.micro_batch;
      const std::int64_t size = std::min((block.begin + end) * setting_.micro_batch, samples) - first;
      if (team.index() == 0) std::iota(group.numbers.begin(), group.numbers.begin() + size, first);
      team.barrier();
      const nn::MicroBatch all{.phase = nn::Phase::kEvaluation,
                               .samples = std::span(group.numbers).first(static_cast<std::size_t>(size))};
      const auto micro_batch = [&](std::int64_t leaf) {
        nn::MicroBatch own = all;
        own.samples = leaf_samples(all.samples, leaf, setting_.micro_batch);
        return own;
      };
      for (std::int64_t leaf = 0; leaf < end - i; ++leaf) {
        if (team.index() == 0)
          source.split->load(micro_batch(leaf).samples, source.transform, workspace.input(leaf),
                             {.stream = stream});
        team.barrier();
        workspace.forward_apart(setting_.kernels, team, values, micro_batch(leaf), leaf);
      }
      workspace.forward_together(setting_.kernels, team, values, all);
      tick();
      if (team.index() != 0) continue;
      for (std::int64_t leaf = 0; leaf < end - i && source.split->has_answers(); ++leaf)
        leaves[static_cast<std::size_t>(i + leaf)] =
            loss_of(*source.split, micro_batch(leaf), group, workspace, leaf);
      if (!outputs.empty())
        copy_from_lanes(workspace.output(), network_.classes(), size,
                        outputs.data() + i * setting_.micro_batch * network_.classes());
    }
  });
  source.split->require_intact();
}

std::int64_t Engine::workspace_bytes() const {
  std::int64_t bytes = 0;
  for (const Group& group : groups_)
    for (const auto& workspace : group.workspaces) bytes += workspace->bytes();
  return bytes;
}

std::int64_t Engine::gradient_bytes() const {
  return static_cast<std::int64_t>(std::max(slots_.size(), setting_.slots.size())) *
         network_.gradient_size() * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace convoy::step
