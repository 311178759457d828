#include "convoy/passes/workspace.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "convoy/passes/memory_plan.hpp"

namespace convoy::passes {

template <class Real>
Workspace<Real>::Workspace(const nn::Network& network, const kernels::Planner& planner,
                           std::int64_t micro_batch, const WorkspaceOptions& options)
    : network_(network),
      plain_loss_(network.loss().plain()),
      precision_(options.precision),
      operations_(plan_operations(network)),
      makers_(network.nodes().size(), -1),
      places_(operations_.size()),
      diff_owners_(operations_.size()),
      apart_(options.apart) {
  assert(apart_ == 0 || (!options.trains && apart_ > 0 && apart_ <= operation_count()));
  for (std::size_t i = 0; i < operations_.size(); ++i)
    makers_[static_cast<std::size_t>(operations_[i].output)] = static_cast<int>(i);
  plan_diffs();
  lay_out({.planner = planner,
           .blocks = lane_blocks(micro_batch),
           .threads = options.threads,
           .precision = options.precision},
          options);
}

template <class Real>
int Workspace<Real>::maker_of(int node) const {
  while (node != nn::kNetworkInput &&
         network_.nodes()[static_cast<std::size_t>(node)].layer->traits().is_view)
    node = network_.nodes()[static_cast<std::size_t>(node)].inputs.front();
  return node == nn::kNetworkInput ? -1 : makers_[static_cast<std::size_t>(node)];
}

template <class Real>
void Workspace<Real>::plan_diffs() {
  std::vector<bool> assigned(operations_.size());
  for (std::size_t i = 0; i < operations_.size(); ++i) diff_owners_[i] = static_cast<int>(i);
  for (std::size_t i = operations_.size(); i-- > 0;) {
    const Operation& operation = operations_[i];
    Place& place = places_[i];
    const auto& inputs = network_.nodes()[static_cast<std::size_t>(operation.node)].inputs;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const int maker = maker_of(inputs[k]);
      if (maker < 0) continue;
      place.adds[k] = assigned[static_cast<std::size_t>(maker)];
      assigned[static_cast<std::size_t>(maker)] = true;
    }
    const int addend = operation.addend == Operation::kNone ? -1 : maker_of(operation.addend);
    if (addend < 0) continue;
    // ∂C/∂addend equals this operation's diff, so the buffer is reused, unless the addend already has a diff.
    place.adds_to_addend = assigned[static_cast<std::size_t>(addend)];
    if (!place.adds_to_addend) diff_owners_[static_cast<std::size_t>(addend)] = diff_owners_[i];
    assigned[static_cast<std::size_t>(addend)] = true;
  }
}

template <class Real>
struct Workspace<Real>::Lifetimes {
  BufferLifetime input, spare, scratch;
  std::vector<BufferLifetime> outputs, diffs, saved;  // by operation
};

template <class Real>
typename Workspace<Real>::Lifetimes Workspace<Real>::plan_lifetimes(const nn::CallSetting& setting,
                                                                    bool trains) {
  const std::int64_t blocks = setting.blocks;
  const auto bytes_of = [&](int node) {
    return blocks * network_.shape_of(node).size() * kLanes * static_cast<std::int64_t>(sizeof(Real));
  };
  // Time of the calls: forward 0 … n − 1, loss n, backward n + 1 … 2n.
  const auto count = static_cast<int>(operations_.size());

  Lifetimes planned{.input = {.bytes = bytes_of(nn::kNetworkInput), .first = 0, .last = 0},
                    .spare = {.bytes = 0, .first = 0, .last = 2 * count},
                    .scratch = {.bytes = 0, .first = 0, .last = 2 * count},
                    .outputs = {},
                    .diffs = {},
                    .saved = {}};
  BufferLifetime& input = planned.input;
  std::vector<BufferLifetime>& outputs = planned.outputs;
  std::vector<BufferLifetime>& diffs = planned.diffs;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const Operation& operation = operations_[i];
    const nn::Node& node = network_.nodes()[static_cast<std::size_t>(operation.node)];
    const nn::Traits traits = node.layer->traits();
    const int now = static_cast<int>(i);
    const int in_backward = trains ? 2 * count - now : now;
    const std::int64_t bytes = bytes_of(operation.output);
    const bool reads_output = traits.backward_reads_dst || !operation.activation.is_none();
    outputs.push_back({.bytes = bytes, .first = now, .last = reads_output ? in_backward : now});
    diffs.push_back({.bytes = trains ? bytes : 0, .first = in_backward, .last = in_backward});
    const auto is_read_by = [&](int source, bool backward) {
      const int maker = maker_of(source);
      BufferLifetime& read = maker < 0 ? input : outputs[static_cast<std::size_t>(maker)];
      read.last = std::max(read.last, backward ? in_backward : now);
      // The lifetime of a diff (in its own buffer or its reader's) starts at the backward call of its first
      // reader.
      if (maker >= 0)
        diffs[static_cast<std::size_t>(maker)].first =
            std::min(diffs[static_cast<std::size_t>(maker)].first, in_backward);
    };
    std::int64_t spare_bytes = 0;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      is_read_by(node.inputs[k], traits.backward_reads_src);
      if (trains && places_[i].adds[k] && !(k == 0 && traits.adds_diff_src))
        spare_bytes += bytes_of(node.inputs[k]);
    }
    planned.spare.bytes = std::max(planned.spare.bytes, spare_bytes);
    if (operation.addend != Operation::kNone) is_read_by(operation.addend, false);
    nn::CallSetting call = setting;
    if (now < apart_) call.blocks = 1;
    places_[i].saved_bytes = node.layer->saved_bytes(call.blocks, static_cast<std::int64_t>(sizeof(Real)));
    planned.saved.push_back({.bytes = places_[i].saved_bytes, .first = now, .last = in_backward});
    planned.scratch.bytes = std::max(
        planned.scratch.bytes, node.layer->scratch_size(call) * static_cast<std::int64_t>(sizeof(Real)));
  }
  if (count > 0) {
    outputs.back().last = std::max(outputs.back().last, count);
    diffs.back().first = count;
  }
  share_diffs(diffs);
  return planned;
}

template <class Real>
void Workspace<Real>::share_diffs(std::vector<BufferLifetime>& diffs) const {
  for (std::size_t i = 0; i < diffs.size(); ++i) {
    const auto owner = static_cast<std::size_t>(diff_owners_[i]);
    if (owner == i) continue;
    diffs[owner].first = std::min(diffs[owner].first, diffs[i].first);
    diffs[owner].last = std::max(diffs[owner].last, diffs[i].last);
    diffs[i].bytes = 0;
  }
}

template <class Real>
void Workspace<Real>::keep_apart(Lifetimes& planned, std::int64_t blocks) {
  const auto decide = [&](BufferLifetime& buffer) {
    const bool has_all_blocks = buffer.last >= apart_;
    if (has_all_blocks) {
      buffer.first = 0;
    } else {
      buffer.bytes /= blocks;
    }
    return has_all_blocks;
  };
  input_has_all_blocks_ = decide(planned.input);
  for (std::size_t i = 0; i < static_cast<std::size_t>(apart_); ++i)
    places_[i].has_all_blocks = decide(planned.outputs[i]);
}

template <class Real>
void Workspace<Real>::lay_out(const nn::CallSetting& setting, const WorkspaceOptions& options) {
  Lifetimes planned = plan_lifetimes(setting, options.trains);
  if (apart_ > 0) keep_apart(planned, setting.blocks);
  std::vector<BufferLifetime> lifetimes{planned.input, planned.spare, planned.scratch};
  for (const auto* group : {&planned.outputs, &planned.diffs, &planned.saved})
    lifetimes.insert(lifetimes.end(), group->begin(), group->end());
  if (options.keep == Keep::kAll) {
    for (BufferLifetime& lifetime : lifetimes) {
      lifetime.first = 0;
      lifetime.last = 2 * static_cast<int>(operations_.size());
    }
  }
  const MemoryPlan plan = plan_memory(lifetimes);
  memory_ = AlignedBuffer<std::byte>(plan.bytes);
  auto next = plan.offsets.begin();
  for (std::int64_t* fixed : {&input_, &spare_, &scratch_}) *fixed = *next++;
  for (Place& place : places_) place.output = *next++;
  const auto of_diffs = next;
  for (std::size_t i = 0; i < places_.size(); ++i) places_[i].diff = of_diffs[diff_owners_[i]];
  next += static_cast<std::ptrdiff_t>(places_.size());
  for (Place& place : places_) place.saved = *next++;
}

template <class Real>
Real* Workspace<Real>::output_at(int node, std::int64_t block) {
  const int maker = maker_of(node);
  const std::int64_t before = block * network_.shape_of(node).size() * kLanes;
  if (maker < 0) return at(input_) + (input_has_all_blocks_ ? before : 0);
  const Place& place = places_[static_cast<std::size_t>(maker)];
  return at(place.output) + (place.has_all_blocks ? before : 0);
}

template <class Real>
Real* Workspace<Real>::diff_at(int node) {
  const int maker = maker_of(node);
  return maker < 0 ? nullptr : at(places_[static_cast<std::size_t>(maker)].diff);
}

template <class Real>
const Real* Workspace<Real>::output_of(int node) const {
  const int maker = maker_of(node);
  if (maker >= 0) return at(places_[static_cast<std::size_t>(maker)].output);
  const bool is_view = network_.nodes()[static_cast<std::size_t>(node)].layer->traits().is_view;
  return is_view ? at(input_) : nullptr;
}

template <class Real>
const Real* Workspace<Real>::diff_of(int node) const {
  const int maker = maker_of(node);
  return maker < 0 ? nullptr : at(places_[static_cast<std::size_t>(maker)].diff);
}

template <class Real>
std::span<const std::byte> Workspace<Real>::saved_by(int node) const {
  const auto found = std::ranges::find(operations_, node, &Operation::node);
  if (found == operations_.end()) return {};
  const Place& place = places_[static_cast<std::size_t>(found - operations_.begin())];
  return {memory_.data() + place.saved, static_cast<std::size_t>(place.saved_bytes)};
}

template <class Real>
nn::Pass<Real> Workspace<Real>::pass_of(std::size_t i, const kernels::KernelTable<Real>& kernels,
                                        const Team& team, const Values<Real>& values,
                                        const nn::MicroBatch& batch, std::int64_t block) {
  const Operation& operation = operations_[i];
  const nn::Node& node = network_.nodes()[static_cast<std::size_t>(operation.node)];
  nn::Pass<Real> pass{.kernels = kernels, .team = team, .batch = batch, .precision = precision_};
  for (std::size_t k = 0; k < node.inputs.size(); ++k) pass.src[k] = output_at(node.inputs[k], block);
  pass.dst = output_at(operation.output, block);
  if (operation.addend != Operation::kNone) pass.epilogue.addend = output_at(operation.addend, block);
  pass.epilogue.activation = operation.activation;
  pass.parameters = values.parameters + node.parameter_offset;
  if (values.statistics != nullptr) pass.statistics = values.statistics + node.statistic_offset;
  pass.saved = memory_.data() + places_[i].saved;
  pass.scratch = at(scratch_);
  return pass;
}

template <class Real>
void Workspace<Real>::forward(const kernels::KernelTable<Real>& kernels, const Team& team,
                              const Values<Real>& values, const nn::MicroBatch& batch, int first) {
  assert(apart_ == 0);
  for (int i = 0; i < operation_count(); ++i) {
    if (operations_[static_cast<std::size_t>(i)].output >= first)
      forward_operation(i, kernels, team, values, batch);
  }
}

template <class Real>
void Workspace<Real>::forward_operation(int operation, const kernels::KernelTable<Real>& kernels,
                                        const Team& team, const Values<Real>& values,
                                        const nn::MicroBatch& batch, std::int64_t block) {
  const auto i = static_cast<std::size_t>(operation);
  network_.nodes()[static_cast<std::size_t>(operations_[i].node)].layer->forward(
      pass_of(i, kernels, team, values, batch, block));
}

template <class Real>
void Workspace<Real>::forward_apart(const kernels::KernelTable<Real>& kernels, const Team& team,
                                    const Values<Real>& values, const nn::MicroBatch& batch,
                                    std::int64_t block) {
  for (int i = 0; i < apart_; ++i) forward_operation(i, kernels, team, values, batch, block);
}

template <class Real>
void Workspace<Real>::forward_together(const kernels::KernelTable<Real>& kernels, const Team& team,
                                       const Values<Real>& values, const nn::MicroBatch& batch) {
  for (int i = apart_; i < operation_count(); ++i) forward_operation(i, kernels, team, values, batch);
}

template <class Real>
Real* Workspace<Real>::diff_of_output(const nn::MicroBatch& batch) {
  return batch.phase == nn::Phase::kTraining ? diff_at(static_cast<int>(network_.nodes().size()) - 1)
                                             : nullptr;
}

template <class Real>
nn::LossResult Workspace<Real>::loss(const nn::MicroBatch& batch, std::span<const std::int64_t> labels,
                                     std::int64_t block) {
  return nn::evaluate_loss(loss_in(batch.phase), network_.classes(), labels,
                           output() + block * network_.classes() * kLanes, diff_of_output(batch));
}

template <class Real>
nn::LossResult Workspace<Real>::loss(const nn::MicroBatch& batch, std::span<const float> targets,
                                     std::int64_t block) {
  return nn::evaluate_loss(loss_in(batch.phase), network_.classes(), targets, batch.size(),
                           output() + block * network_.classes() * kLanes, diff_of_output(batch));
}

template <class Real>
void Workspace<Real>::add(const kernels::KernelTable<Real>& kernels, const Team& team,
                          const nn::MicroBatch& batch, int node, const Real* from, Real* to) const {
  kernels.add(batch.blocks() * network_.shape_of(node).size() * kLanes, to, from, to, team);
}

template <class Real>
void Workspace<Real>::backward(const kernels::KernelTable<Real>& kernels, const Team& team,
                               const Values<Real>& values, const nn::MicroBatch& batch, Real* gradient) {
  for (int i = operation_count(); i-- > 0;) backward_operation(i, kernels, team, values, batch, gradient);
}

template <class Real>
void Workspace<Real>::backward_operation(int index, const kernels::KernelTable<Real>& kernels,
                                         const Team& team, const Values<Real>& values,
                                         const nn::MicroBatch& batch, Real* gradient) {
  const auto i = static_cast<std::size_t>(index);
  const Operation& operation = operations_[i];
  const Place& place = places_[i];
  const nn::Node& node = network_.nodes()[static_cast<std::size_t>(operation.node)];
  const nn::Traits traits = node.layer->traits();
  nn::Pass<Real> pass = pass_of(i, kernels, team, values, batch);
  pass.diff_dst = at(place.diff);
  pass.diff_parameters = gradient + node.parameter_offset;
  pass.batch_statistics = gradient + network_.parameter_count() + node.statistic_offset;
  if (caller_differentiates(operation, traits)) {
    kernels.activation_backward(operation.activation,
                                batch.blocks() * network_.shape_of(operation.output).size() * kLanes,
                                pass.dst, pass.diff_dst, pass.diff_dst, team);
  }
  if (place.adds[0] && traits.adds_diff_src) pass.update = Update::kAdd;
  // Inputs that add have a spare buffer each: two may be views of one output.
  std::array<Real*, nn::kMostInputs> spares{};
  Real* spare = at(spare_);
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    pass.diff_src[k] = diff_at(node.inputs[k]);
    if (!place.adds[k] || (k == 0 && traits.adds_diff_src)) continue;
    pass.diff_src[k] = spares[k] = spare;
    spare += batch.blocks() * network_.shape_of(node.inputs[k]).size() * kLanes;
  }
  node.layer->backward(pass);
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    if (spares[k] != nullptr) add(kernels, team, batch, node.inputs[k], spares[k], diff_at(node.inputs[k]));
  }
  if (place.adds_to_addend)
    add(kernels, team, batch, operation.addend, pass.diff_dst, diff_at(operation.addend));
}

template class Workspace<float>;
template class Workspace<double>;

}  // namespace convoy::passes
