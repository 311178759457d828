#include "convoy/model/state.hpp"

#include <algorithm>
#include <utility>

namespace convoy::model {
namespace {

std::vector<StatisticRange> statistic_ranges(const nn::Network& network) {
  std::vector<StatisticRange> ranges;
  for (const nn::Tensor& tensor : network.statistics())
    ranges.push_back({{tensor.offset, tensor.offset + tensor.size()}, tensor.momentum});
  return ranges;
}

}  // namespace

State make_state(const nn::Network& network, double momentum) {
  AlignedBuffer<float> memory(network.gradient_size());
  const std::vector<Range> all{{0, network.parameter_count()}};
  State state = make_state(network, momentum, memory.span(), all, all);
  state.memory = std::move(memory);
  return state;
}

State make_state(const nn::Network& network, double momentum, std::span<float> values,
                 const std::vector<Range>& kept, std::vector<Range> owned) {
  const auto parameters = static_cast<std::size_t>(network.parameter_count());
  State state;
  state.parameters = values.first(parameters);
  state.statistics = values.subspan(parameters);
  state.statistic_ranges = statistic_ranges(network);
  state.owned = std::move(owned);
  state.has_velocity = momentum > 0;
  if (state.has_velocity) state.velocity = optim::Shard(kept);
  return state;
}

std::vector<optim::ParameterRange> decay_ranges(const nn::Network& network) {
  std::vector<optim::ParameterRange> ranges;
  for (const nn::Tensor& tensor : network.parameters())
    ranges.push_back({{tensor.offset, tensor.offset + tensor.size()}, tensor.decays});
  return ranges;
}

void Update::apply(const Range& elements, const float* sum, State& state) const {
  if (sgd == nullptr) {
    std::copy_n(sum, elements.size(), state.parameters.data() + elements.begin);  // statistics lie behind
    return;
  }
  const auto parameters = static_cast<std::int64_t>(state.parameters.size());
  if (elements.begin < parameters) {
    const Range part{elements.begin, std::min(elements.end, parameters)};
    optim::sgd_step(*sgd, *ranges, rate, first_step, part, sum, samples, state.parameters.data(),
                    state.velocity.at(part.begin));
  }
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

}  // namespace convoy::model
