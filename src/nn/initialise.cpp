// The initial values of a network.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "convoy/core/random.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::nn {
namespace {

/// Rows [dims[0]] of the other extents together.
struct Rows {
  std::int64_t rows, columns;
};
Rows rows_of(const Parameter& parameter) {
  const std::int64_t rows = parameter.dims.front();
  return {rows, count(parameter.dims) / rows};
}

void fill_normal(double variance, RandomStream& stream, std::span<float> values) {
  for (float& value : values) value = static_cast<float>(stream.normal() * std::sqrt(variance));
}

void fill_uniform(double bound, RandomStream& stream, std::span<float> values) {
  for (float& value : values) value = static_cast<float>(stream.uniform(-bound, bound));
}

/// Gram & Schmidt on normal vectors, twice each, so that rounding does not grow: the distribution is uniform
/// over all orthonormal sets. Takes rows²·columns operations.
void fill_orthogonal(const Rows& shape, RandomStream& stream, std::span<float> values) {
  const auto vectors = static_cast<std::size_t>(std::min(shape.rows, shape.columns));
  const auto size = static_cast<std::size_t>(std::max(shape.rows, shape.columns));
  std::vector<double> all(vectors * size);
  for (double& value : all) value = stream.normal();
  const auto vector = [&](std::size_t i) { return std::span(all).subspan(i * size, size); };
  const auto product = [](std::span<const double> a, std::span<const double> b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.);
  };
  for (std::size_t i = 0; i < vectors; ++i) {
    const std::span<double> own = vector(i);
    for (std::size_t j = 0; j < 2 * i; ++j) {
      const std::span<const double> before = vector(j % i);
      const double part = product(own, before);
      for (std::size_t k = 0; k < size; ++k) own[k] -= part * before[k];
    }
    const double norm = std::sqrt(product(own, own));
    for (double& value : own) value /= norm;
  }
  const bool are_rows = shape.rows <= shape.columns;
  const auto columns = static_cast<std::size_t>(shape.columns);
  for (std::size_t i = 0; i < vectors; ++i)
    for (std::size_t k = 0; k < size; ++k)
      values[are_rows ? i * columns + k : k * columns + i] = static_cast<float>(all[i * size + k]);
}

/// Weights [OC][IC/groups][KH][KW] or [OUT][IN]: output channel i of a group becomes its input channel i.
void set_identity(const Parameter& parameter, std::span<float> values) {
  const Dims& dims = parameter.dims;
  const std::int64_t inputs = dims[1];
  const std::int64_t kh = dims.size() > 2 ? dims[2] : 1;
  const std::int64_t kw = dims.size() > 2 ? dims[3] : 1;
  const std::int64_t row = inputs * kh * kw;
  const std::int64_t of_group = parameter.fan_out / (kh * kw);
  for (std::int64_t output = 0; output < dims[0]; ++output) {
    const std::int64_t input = output % of_group;
    if (input >= inputs) continue;
    const auto own = values.subspan(static_cast<std::size_t>(output * row), static_cast<std::size_t>(row));
    std::ranges::fill(own, 0.0F);
    own[static_cast<std::size_t>((input * kh + kh / 2) * kw + kw / 2)] = 1;
  }
}

/// `gain`: of a rectifier that follows; 0: none follows.
void fill(const Parameter& parameter, double gain, RandomStream& stream, std::span<float> values) {
  const auto fan_in = static_cast<double>(parameter.fan_in);
  const auto fan_out = static_cast<double>(parameter.fan_out);
  const auto automatic = [&] {
    if (gain > 0) return fill_normal(gain / fan_in, stream, values);
    fill_uniform(std::sqrt(6 / (fan_in + fan_out)), stream, values);
  };
  switch (parameter.initializer) {
    case Initializer::kWeights:
      return automatic();
    case Initializer::kHe:
      return fill_normal(2 / fan_in, stream, values);
    case Initializer::kGlorot:
      return fill_uniform(std::sqrt(6 / (fan_in + fan_out)), stream, values);
    case Initializer::kLecun:
      return fill_normal(1 / fan_in, stream, values);
    case Initializer::kOrthogonal:
      return fill_orthogonal(rows_of(parameter), stream, values);
    case Initializer::kDirac:
      automatic();
      return set_identity(parameter, values);
    case Initializer::kZeros:
      std::ranges::fill(values, 0.0F);
      return;
    case Initializer::kOnes:
      std::ranges::fill(values, 1.0F);
      return;
  }
}

}  // namespace

double Network::he_gain_after(int node) const {
  for (std::size_t i = static_cast<std::size_t>(node) + 1; i < nodes_.size(); ++i) {
    const auto& inputs = nodes_[i].inputs;
    if (std::find(inputs.begin(), inputs.end(), node) == inputs.end()) continue;
    const Traits next = nodes_[i].layer->traits();
    if (next.nonlinearity == Nonlinearity::kNone) return he_gain_after(static_cast<int>(i));
    return next.nonlinearity == Nonlinearity::kRectifier ? next.he_gain : 0;
  }
  return 0;
}

void Network::initialise(std::uint64_t seed, std::span<float> parameters, std::span<float> statistics) const {
  std::size_t next = 0;
  const auto take = [&next](std::span<float> values, const Dims& dims) {
    const auto size = static_cast<std::size_t>(count(dims));
    next += size;
    return values.subspan(next - size, size);
  };
  std::uint64_t ordinal = 0;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    const double gain = he_gain_after(static_cast<int>(n));
    for (const Parameter& parameter : nodes_[n].layer->parameters()) {
      RandomStream stream(random_key(seed, RandomPurpose::kInitialWeights, ordinal++));
      fill(parameter, gain, stream, take(parameters, parameter.dims));
    }
  }
  next = 0;
  for (const Node& node : nodes_)
    for (const Statistic& statistic : node.layer->statistics())
      std::ranges::fill(take(statistics, statistic.dims),
                        statistic.initializer == Initializer::kOnes ? 1.0F : 0.0F);
}

}  // namespace convoy::nn
