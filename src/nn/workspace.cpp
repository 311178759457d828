#include "convoy/nn/workspace.hpp"

#include <algorithm>

namespace convoy::nn {

template <class Real>
Real* Workspace<Real>::reserve(std::int64_t elements) {
  memory_.emplace_back(elements);
  bytes_ += elements * static_cast<std::int64_t>(sizeof(Real));
  return memory_.back().data();
}

template <class Real>
Workspace<Real>::Workspace(const Network& network, std::int64_t micro_batch, int threads)
    : network_(network) {
  const std::int64_t blocks = lane_blocks(micro_batch);
  const auto elements = [&](const Shape& shape) { return blocks * shape.size() * kLanes; };
  input_ = AlignedBuffer<Real>(elements(network.input()));
  bytes_ = input_.size() * static_cast<std::int64_t>(sizeof(Real));

  const auto& nodes = network.nodes();
  const std::size_t count = nodes.size();
  adds_.assign(count, {});
  std::int64_t scratch = 0;
  std::int64_t largest_diff = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Layer& layer = *nodes[i].layer;
    const int input = nodes[i].inputs.front();
    const bool view = layer.is_view();
    const std::int64_t size = elements(layer.output());
    const bool of_input = input == kNetworkInput;
    const auto viewed = static_cast<std::size_t>(std::max(input, 0));
    outputs_.push_back(!view ? reserve(size) : of_input ? input_.data() : outputs_[viewed]);
    diffs_.push_back(!view ? reserve(size) : of_input ? nullptr : diffs_[viewed]);
    largest_diff = std::max(largest_diff, size);
    const std::int64_t saved = layer.saved_bytes(blocks, static_cast<std::int64_t>(sizeof(Real)));
    saved_.emplace_back(saved);
    bytes_ += saved;
    scratch = std::max(scratch, layer.scratch_size(blocks, threads));
  }
  scratch_ = reserve(scratch);

  // Backward runs from the last node to the first. The first to reach a diff assigns it, the later ones add
  // to it.
  std::vector<const Real*> assigned;
  bool any = false;
  for (std::size_t i = count; i-- > 0;) {
    if (nodes[i].layer->is_view()) continue;
    for (std::size_t k = 0; k < nodes[i].inputs.size(); ++k) {
      const int input = nodes[i].inputs[k];
      const Real* diff = input == kNetworkInput ? nullptr : diffs_[static_cast<std::size_t>(input)];
      if (diff == nullptr) continue;
      adds_[i][k] = std::find(assigned.begin(), assigned.end(), diff) != assigned.end();
      any = any || adds_[i][k];
      assigned.push_back(diff);
    }
  }
  if (any) spare_ = reserve(largest_diff);
}

template <class Real>
std::span<const std::byte> Workspace<Real>::saved_by(int node) const {
  return saved_[static_cast<std::size_t>(node)].span();
}

template <class Real>
Pass<Real> Workspace<Real>::pass_of(int node, const kernels::KernelTable<Real>& kernels, const Team& team,
                                    const Values<Real>& values, const MicroBatch& batch) {
  const Node& place = network_.nodes()[static_cast<std::size_t>(node)];
  Pass<Real> pass{.kernels = kernels, .team = team, .batch = batch};
  for (std::size_t k = 0; k < place.inputs.size(); ++k) {
    const int input = place.inputs[k];
    pass.src[k] = input == kNetworkInput ? input_.data() : outputs_[static_cast<std::size_t>(input)];
  }
  pass.dst = outputs_[static_cast<std::size_t>(node)];
  pass.parameters = values.parameters + place.parameter_offset;
  pass.statistics = values.statistics + place.statistic_offset;
  pass.saved = saved_[static_cast<std::size_t>(node)].data();
  pass.scratch = scratch_;
  return pass;
}

template <class Real>
void Workspace<Real>::forward(const kernels::KernelTable<Real>& kernels, const Team& team,
                              const Values<Real>& values, const MicroBatch& batch, int first) {
  for (int node = first; node < static_cast<int>(network_.nodes().size()); ++node)
    network_.nodes()[static_cast<std::size_t>(node)].layer->forward(
        pass_of(node, kernels, team, values, batch));
}

template <class Real>
LossResult Workspace<Real>::loss(const MicroBatch& batch, std::span<const std::int64_t> labels) {
  Real* diff = batch.phase == Phase::kTraining ? diffs_.back() : nullptr;
  return evaluate_loss(network_.loss(), network_.classes(), labels, output(), diff);
}

template <class Real>
void Workspace<Real>::backward(const kernels::KernelTable<Real>& kernels, const Team& team,
                               const Values<Real>& values, const MicroBatch& batch, Real* gradient) {
  for (int node = static_cast<int>(network_.nodes().size()) - 1; node >= 0; --node) {
    const Node& place = network_.nodes()[static_cast<std::size_t>(node)];
    if (place.layer->is_view()) continue;
    Pass<Real> pass = pass_of(node, kernels, team, values, batch);
    pass.diff_dst = diffs_[static_cast<std::size_t>(node)];
    pass.diff_parameters = gradient + place.parameter_offset;
    pass.batch_statistics = gradient + network_.parameter_count() + place.statistic_offset;
    const auto& adds = adds_[static_cast<std::size_t>(node)];
    for (std::size_t k = 0; k < place.inputs.size(); ++k) {
      const int input = place.inputs[k];
      if (input != kNetworkInput)
        pass.diff_src[k] = adds[k] ? spare_ : diffs_[static_cast<std::size_t>(input)];
    }
    place.layer->backward(pass);
    for (std::size_t k = 0; k < place.inputs.size(); ++k) {
      if (!adds[k]) continue;
      Real* diff = diffs_[static_cast<std::size_t>(place.inputs[k])];
      const std::int64_t size = batch.blocks() * network_.shape_of(place.inputs[k]).size() * kLanes;
      kernels.add(size, diff, spare_, diff, team);
    }
  }
}

template class Workspace<float>;
template class Workspace<double>;

}  // namespace convoy::nn
