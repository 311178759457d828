#include "convoy/model/state.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "convoy/model/parameter_groups.hpp"

namespace convoy::model {
namespace {

std::vector<StatisticRange> statistic_ranges(const nn::Network& network) {
  std::vector<StatisticRange> ranges;
  for (const nn::Tensor& tensor : network.statistics())
    ranges.push_back({{tensor.offset, tensor.offset + tensor.size()}, tensor.momentum});
  return ranges;
}

/// Calls f with `elements` of tensor number `tensor`; `sum` starts at elements.begin.
template <class Function>
void with_stretch(State& state, std::int64_t tensor, const Range& elements, const float* sum,
                  const Function& f) {
  std::array<float*, optim::kMostStates> states{};
  for (std::size_t i = 0; i < state.optimizer.size(); ++i)
    states[i] = state.optimizer[i].values.at(elements.begin);
  const optim::ParameterRange& range = state.parameter_ranges[static_cast<std::size_t>(tensor)];
  f(optim::Stretch{.tensor = tensor,
                   .decay_factor = range.decay_factor,
                   .rate_factor = range.rate_factor,
                   .size = elements.size(),
                   .gradient_sum = sum,
                   .parameters = state.parameters.data() + elements.begin,
                   .states = std::span(states).first(state.optimizer.size())});
}

void update_statistics(const Range& elements, const float* sum, float samples, State& state) {
  const auto parameters = static_cast<std::int64_t>(state.parameters.size());
  const float* statistics_sum = sum + (parameters - elements.begin);
  for (const StatisticRange& each : state.statistic_ranges) {
    const auto follows = static_cast<float>(each.momentum);
    const auto stays = static_cast<float>(1 - each.momentum);
    const std::int64_t end = std::min(each.range.end, elements.end - parameters);
    for (std::int64_t i = std::max(each.range.begin, elements.begin - parameters); i < end; ++i) {
      float& running = state.statistics[static_cast<std::size_t>(i)];
      running = stays * running + follows * (statistics_sum[i] / samples);
    }
  }
}

}  // namespace

std::int64_t State::kept() const {
  std::int64_t elements = 0;
  for (const OptimizerState& each : optimizer)
    elements += static_cast<std::int64_t>(each.values.values().size());
  return elements;
}

State make_state(const nn::Network& network, const optim::Optimizer* optimizer) {
  AlignedBuffer<float> memory(network.gradient_size());
  const std::vector<Range> all{{0, network.parameter_count()}};
  State state = make_state(network, optimizer, memory.span(), all, all);
  state.memory = std::move(memory);
  return state;
}

State make_state(const nn::Network& network, const optim::Optimizer* optimizer, std::span<float> values,
                 const std::vector<Range>& kept, std::vector<Range> owned) {
  const auto parameters = static_cast<std::size_t>(network.parameter_count());
  State state;
  state.parameters = values.first(parameters);
  state.statistics = values.subspan(parameters);
  state.parameter_ranges = parameter_ranges(network, {});
  state.statistic_ranges = statistic_ranges(network);
  state.owned = std::move(owned);
  if (optimizer == nullptr) return state;
  for (const std::string_view name : optimizer->states())
    state.optimizer.push_back({.name = std::string(name), .values = optim::Shard(kept)});
  assert(state.optimizer.size() <= optim::kMostStates);
  return state;
}

void Update::apply(const Range& elements, const float* sum, State& state) const {
  if (optimizer == nullptr) {
    std::copy_n(sum, elements.size(),
                state.parameters.data() + elements.begin);  // then statistics
    return;
  }
  const auto is_before = [](const optim::ParameterRange& tensor, std::int64_t begin) {
    return tensor.range.end <= begin;
  };
  const auto first = std::lower_bound(state.parameter_ranges.begin(), state.parameter_ranges.end(),
                                      elements.begin, is_before);
  const optim::Norms none;
  for (auto tensor = first; tensor != state.parameter_ranges.end(); ++tensor) {
    const Range part{std::max(tensor->range.begin, elements.begin),
                     std::min(tensor->range.end, elements.end)};
    if (part.begin >= part.end) break;
    if (info.epochs_done >= tensor->frozen_from) continue;
    with_stretch(state, tensor - state.parameter_ranges.begin(), part, sum + (part.begin - elements.begin),
                 [&](const optim::Stretch& stretch) {
                   optimizer->update(info, stretch, norms != nullptr ? *norms : none);
                 });
  }
  if (elements.end > static_cast<std::int64_t>(state.parameters.size()))
    update_statistics(elements, sum, info.samples, state);
}

void Update::measure(int stage, std::int64_t tensor, const Range& block, const float* sum, State& state,
                     std::span<double> squares) const {
  if (info.epochs_done >= state.parameter_ranges[static_cast<std::size_t>(tensor)].frozen_from) {
    std::ranges::fill(squares, 0.0);
    return;
  }
  const optim::Norms none;
  with_stretch(state, tensor, block, sum, [&](const optim::Stretch& stretch) {
    optimizer->measure(stage, info, stretch, norms != nullptr ? *norms : none, squares);
  });
}

}  // namespace convoy::model
