#include "convoy/train/engine.hpp"

#include <algorithm>
#include <numeric>

namespace convoy::train {
namespace {

/// Micro-batch `leaf` of `samples`.
std::span<const std::int64_t> leaf_samples(std::span<const std::int64_t> samples, std::int64_t leaf,
                                           std::int64_t micro_batch) {
  const auto first = static_cast<std::size_t>(leaf * micro_batch);
  return samples.subspan(first, std::min(static_cast<std::size_t>(micro_batch), samples.size() - first));
}

/// Labels of `samples`, into memory that holds a micro-batch.
std::span<const std::int64_t> gather_labels(const data::Split& split, std::span<const std::int64_t> samples,
                                            std::vector<std::int64_t>& labels) {
  std::transform(samples.begin(), samples.end(), labels.begin(),
                 [&](std::int64_t sample) { return split.labels()[static_cast<std::size_t>(sample)]; });
  return std::span(labels).first(samples.size());
}

/// The class with the largest output of sample n, the first of equals.
std::int64_t answer(const float* outputs, std::int64_t classes, std::int64_t n) {
  const float* lane = outputs + n / kLanes * classes * kLanes + n % kLanes;
  std::int64_t best = 0;
  for (std::int64_t k = 1; k < classes; ++k)
    if (lane[k * kLanes] > lane[best * kLanes]) best = k;
  return best;
}

}  // namespace

State make_state(const nn::Network& network, double momentum) {
  return {.parameters = AlignedBuffer<float>(network.parameter_count()),
          .statistics = AlignedBuffer<float>(network.statistic_count()),
          .velocity = AlignedBuffer<float>(momentum > 0 ? network.parameter_count() : 0)};
}

Engine::Engine(const nn::Network& network, const kernels::KernelTable<float>& kernels, int threads,
               std::int64_t micro_batch, kernels::Precision precision)
    : network_(network),
      kernels_(kernels),
      pool_(threads),
      micro_batch_(micro_batch),
      precision_(precision) {}

void Engine::prepare_groups(std::int64_t groups) {
  groups_.resize(std::max(groups_.size(), static_cast<std::size_t>(groups)));
  const auto team_of = [&](std::int64_t g) {
    return static_cast<int>(split(pool_.threads(), groups, g).size());
  };
  bool is_ready = true;
  for (std::int64_t g = 0; g < groups; ++g)
    is_ready = is_ready && groups_[static_cast<std::size_t>(g)].team >= team_of(g);
  if (is_ready) return;
  pool_.make(groups, [&](std::int64_t g) {
    Group& group = groups_[static_cast<std::size_t>(g)];
    const int team = team_of(g);
    if (group.team >= team) return;
    group.team = 0;
    group.workspace.reset();  // before the larger one is made
    group.workspace = std::make_unique<nn::Workspace<float>>(
        network_, micro_batch_, nn::WorkspaceOptions{.threads = team, .precision = precision_});
    group.labels.resize(static_cast<std::size_t>(micro_batch_));
    group.numbers.resize(static_cast<std::size_t>(micro_batch_));
    group.team = team;
  });
}

void Engine::prepare(const StepPlan& plan) {
  if (plan.groups.empty()) return;
  prepare_groups(static_cast<std::int64_t>(plan.groups.size()));
  while (static_cast<std::int64_t>(slots_.size()) < plan.slots) slots_.emplace_back(network_.gradient_size());
}

PartTimer Engine::timer_of(std::int64_t groups, std::int64_t group, const Team& team) const {
  return {profile_, static_cast<int>(split(threads(), groups, group).begin) + team.index()};
}

void Engine::prepare_evaluation(std::int64_t leaves) {
  if (leaves > 0) prepare_groups(std::min<std::int64_t>(threads(), leaves));
}

std::span<const comm::NodeValue> Engine::gradients(const StepPlan& plan, const Source& source,
                                                   const State& state, std::span<const std::int64_t> batch,
                                                   std::uint64_t seed, std::int64_t epoch,
                                                   std::span<LeafResult> leaves) {
  nodes_.clear();
  if (plan.groups.empty()) return nodes_;
  const auto groups = static_cast<std::int64_t>(plan.groups.size());
  prepare(plan);
  const nn::Values<float> values{state.parameters.data(), state.statistics.data()};
  const std::int64_t size = network_.gradient_size();
  const auto merge = [&](const StepPlan::Merge& each, const Team& team) {
    kernels_.accumulate(size, slot(each.left), slot(each.right), team);
  };

  pool_.run(groups, [&](std::int64_t g, const Team& team) {
    PartTimer timer = timer_of(groups, g, team);
    Group& group = groups_[static_cast<std::size_t>(g)];
    for (const StepPlan::Leaf& work : plan.groups[static_cast<std::size_t>(g)]) {
      const nn::MicroBatch micro_batch{.phase = nn::Phase::kTraining,
                                       .samples = leaf_samples(batch, work.leaf, micro_batch_),
                                       .seed = seed,
                                       .epoch = epoch};
      if (team.index() == 0)
        source.split->load(micro_batch.samples, source.transform, group.workspace->input());
      team.barrier();
      timer.book(Activity::kData);
      group.workspace->forward(kernels_, team, values, micro_batch);
      if (team.index() == 0) {
        leaves[static_cast<std::size_t>(work.leaf - plan.block.begin)] = group.workspace->loss(
            micro_batch, gather_labels(*source.split, micro_batch.samples, group.labels));
      }
      team.barrier();
      group.workspace->backward(kernels_, team, values, micro_batch, slot(work.slot));
      timer.book(Activity::kKernels);
      for (const StepPlan::Merge& each : work.merges) merge(each, team);
      timer.book(Activity::kReduction);
    }
  });
  if (!plan.final_merges.empty()) {
    pool_.run(1, [&](std::int64_t, const Team& team) {
      PartTimer timer = timer_of(1, 0, team);
      for (const StepPlan::Merge& each : plan.final_merges) merge(each, team);
      timer.book(Activity::kReduction);
    });
  }
  for (const StepPlan::Node& node : plan.nodes) nodes_.push_back({node.range, slot(node.slot)});
  return nodes_;
}

void Engine::update(const optim::SgdOptions& sgd, const std::vector<optim::ParameterRange>& ranges, float lr,
                    bool first_step, std::span<const float> gradient, State& state) {
  pool_.run(1, [&](std::int64_t, const Team& team) {
    PartTimer timer = timer_of(1, 0, team);
    optim::sgd_step(sgd, ranges, lr, first_step, gradient.data(), state.parameters.data(),
                    state.velocity.data(), team);
    const float* average = gradient.data() + network_.parameter_count();
    const Range share = team.share(network_.statistic_count());
    for (std::int64_t i = share.begin; i < share.end; ++i)
      state.statistics[i] = 0.9F * state.statistics[i] + 0.1F * average[i];
    timer.book(Activity::kOptimizer);
  });
}

void Engine::evaluate(const Source& source, const State& state, const Range& block,
                      std::span<LeafResult> leaves, std::span<std::int64_t> confusion) {
  if (block.size() == 0) return;
  const std::int64_t groups = std::min<std::int64_t>(threads(), block.size());
  prepare_evaluation(block.size());
  const nn::Values<float> values{state.parameters.data(), state.statistics.data()};
  const std::int64_t samples = source.split->samples();
  const std::int64_t classes = network_.classes();

  pool_.run(groups, [&](std::int64_t g, const Team& team) {
    Group& group = groups_[static_cast<std::size_t>(g)];
    const Range part = split(block.size(), groups, g);
    for (std::int64_t i = part.begin; i < part.end; ++i) {
      const std::int64_t first = (block.begin + i) * micro_batch_;
      const std::int64_t size = std::min(micro_batch_, samples - first);
      if (team.index() == 0) std::iota(group.numbers.begin(), group.numbers.begin() + size, first);
      team.barrier();
      const nn::MicroBatch micro_batch{
          .phase = nn::Phase::kEvaluation,
          .samples = std::span(group.numbers).first(static_cast<std::size_t>(size))};
      if (team.index() == 0)
        source.split->load(micro_batch.samples, source.transform, group.workspace->input());
      team.barrier();
      group.workspace->forward(kernels_, team, values, micro_batch);
      if (team.index() == 0) {
        const auto labels = gather_labels(*source.split, micro_batch.samples, group.labels);
        leaves[static_cast<std::size_t>(i)] = group.workspace->loss(micro_batch, labels);
        for (std::int64_t n = 0; !confusion.empty() && n < size; ++n) {
          const std::int64_t row = labels[static_cast<std::size_t>(n)];
          const std::int64_t column = answer(group.workspace->output(), classes, n);
#pragma omp atomic
          ++confusion[static_cast<std::size_t>(row * classes + column)];
        }
      }
    }
  });
}

std::int64_t Engine::workspace_bytes() const {
  std::int64_t bytes = 0;
  for (const Group& group : groups_)
    if (group.workspace) bytes += group.workspace->bytes();
  return bytes;
}

std::int64_t Engine::gradient_bytes() const {
  return static_cast<std::int64_t>(slots_.size()) * network_.gradient_size() *
         static_cast<std::int64_t>(sizeof(float));
}

}  // namespace convoy::train
