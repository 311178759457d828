#include "convoy/check/derivation.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "convoy/core/random.hpp"
#include "convoy/passes/workspace.hpp"

namespace convoy::check {
namespace {

/// "conv 1 3x2", " pad=1x0".
std::string by(const char* before, std::int64_t rows, std::int64_t columns) {
  return fmt::format("{}{}x{}", before, rows, columns);
}

/// Sample 0 of one lane block.
Image first_lane(const double* lanes, std::int64_t rows, std::int64_t columns) {
  Image p{rows, columns, {}};
  for (std::int64_t i = 0; i < rows * columns; ++i) p.values.push_back(lanes[i * kLanes]);
  return p;
}

/// Fills all lanes of the block with the image: idle lanes repeat the first.
void fill_lanes(const Image& p, double* lanes) {
  for (std::size_t i = 0; i < p.values.size(); ++i)
    std::fill_n(lanes + static_cast<std::int64_t>(i) * kLanes, kLanes, p.values[i]);
}

/// Runs a training step without the update: feed-forward, loss, backpropagation of one image. `layer` is the
/// last line of the network, `weights` its weights; all its biases are d.bias.
Passes run_network(const Derivation& d, Below below, const std::string& layer,
                   const std::vector<double>& weights) {
  // The average over a 1×1 window is the image itself; as a layer, its diff is kept by the workspace.
  std::vector<nn::LayerText> lines{{"avgpool 1x1", "explain"}};
  if (below == Below::kSigmoid) lines.push_back({"sigmoid", "explain"});
  lines.push_back({layer, "explain"});
  const std::int64_t rows = d.a.rows - d.kernel.rows + 1;
  const std::int64_t columns = d.a.columns - d.kernel.columns + 1;
  const nn::Network network({1, d.a.rows, d.a.columns}, lines, nn::LossKind::kQuadratic, rows * columns);

  passes::Workspace<double> workspace(network, kernels::double_kernels().planner, 1,
                                      {.keep = passes::Keep::kAll});
  fill_lanes(d.below, workspace.input());
  std::vector<double> parameters = weights;
  parameters.resize(static_cast<std::size_t>(network.parameter_count()),
                    d.bias);  // one bias, or one per output
  const std::vector<std::int64_t> number{0};
  const std::vector<std::int64_t> label{d.target};
  const nn::MicroBatch batch{.samples = number};
  const passes::Values<double> values{parameters.data(), nullptr};
  const auto& kernels = kernels::double_kernels();
  std::vector<double> gradient(parameters.size());
  workspace.forward(kernels, Team(), values, batch);
  (void)workspace.loss(batch, label);
  workspace.backward(kernels, Team(), values, batch, gradient.data());

  Passes passes;
  passes.z = first_lane(workspace.output(), rows, columns);
  passes.delta = first_lane(workspace.diff_of(static_cast<int>(lines.size()) - 1), rows, columns);
  passes.delta_below = first_lane(workspace.diff_of(0), d.a.rows, d.a.columns);
  const auto end_of_weights = gradient.begin() + static_cast<std::ptrdiff_t>(weights.size());
  passes.bias_gradient = std::accumulate(end_of_weights, gradient.end(), 0.);
  passes.weights = weights;
  passes.weights_gradient.assign(gradient.begin(), end_of_weights);
  return passes;
}

/// Output of a conv layer for one image, without bias: Σ src(y−ph+ky, x−pw+kx)·stored(ky, kx).
Image correlate(const Image& src, const Image& stored, std::int64_t ph, std::int64_t pw) {
  const std::int64_t rows = src.rows + 2 * ph - stored.rows + 1;
  const std::int64_t columns = src.columns + 2 * pw - stored.columns + 1;
  const std::string line = by("conv 1 ", stored.rows, stored.columns) + by(" pad=", ph, pw) + " bias=no";
  const nn::Network network({1, src.rows, src.columns}, {{line, "explain"}}, nn::LossKind::kQuadratic,
                            rows * columns);
  passes::Workspace<double> workspace(network, kernels::double_kernels().planner, 1,
                                      {.keep = passes::Keep::kAll});
  fill_lanes(src, workspace.input());
  const std::vector<std::int64_t> number{0};
  workspace.forward(kernels::double_kernels(), Team(), {stored.values.data(), nullptr}, {.samples = number});
  return first_lane(workspace.output(), rows, columns);
}

/// True convolution, full: a conv layer stores the rotated kernel.
Image convolve_full(const Image& a, const Image& w) {
  return correlate(a, rotated(w), w.rows - 1, w.columns - 1);
}

/// The output of layer l.
Image activate(const Image& below) {
  const nn::Network network({1, below.rows, below.columns}, {{"sigmoid", "explain"}},
                            nn::LossKind::kQuadratic, below.rows * below.columns);
  passes::Workspace<double> workspace(network, kernels::double_kernels().planner, 1,
                                      {.keep = passes::Keep::kAll});
  fill_lanes(below, workspace.input());
  const std::vector<std::int64_t> number{0};
  workspace.forward(kernels::double_kernels(), Team(), {}, {.samples = number});
  return first_lane(workspace.output(), below.rows, below.columns);
}

/// δ ⊙ σ'(z) with σ' = a·(1 − a).
void multiply_by_slope(Image& delta, const Image& a) {
  for (std::size_t i = 0; i < delta.values.size(); ++i) delta.values[i] *= a.values[i] * (1 - a.values[i]);
}

}  // namespace

Image rotated(const Image& p) {
  Image turned = p;
  std::reverse(turned.values.begin(), turned.values.end());
  return turned;
}

std::int64_t shared_weight(const Derivation& d, std::int64_t output, std::int64_t input) {
  const std::int64_t columns = d.a.columns - d.kernel.columns + 1;
  // v(ky, kx) multiplies a(y + ky, x + kx), and v = ROT180(w).
  const std::int64_t ky = input / d.a.columns - output / columns;
  const std::int64_t kx = input % d.a.columns - output % columns;
  if (ky < 0 || ky >= d.kernel.rows || kx < 0 || kx >= d.kernel.columns) return -1;
  return (d.kernel.rows - 1 - ky) * d.kernel.columns + d.kernel.columns - 1 - kx;
}

Derivation derive(const Image& below, const Image& kernel, double bias, std::int64_t target, Below layer) {
  Derivation d;
  d.below = below;
  d.a = layer == Below::kSigmoid ? activate(below) : below;
  d.kernel = kernel;
  d.stored = rotated(kernel);
  d.bias = bias;
  d.target = target;

  d.convolution = run_network(d, layer, by("conv 1 ", kernel.rows, kernel.columns), d.stored.values);
  d.convolution.gradient = rotated({kernel.rows, kernel.columns, d.convolution.weights_gradient});

  const std::int64_t inputs = below.rows * below.columns;
  const std::int64_t outputs = (below.rows - kernel.rows + 1) * (below.columns - kernel.columns + 1);
  std::vector<double> weights;
  for (std::int64_t j = 0; j < outputs; ++j) {
    for (std::int64_t k = 0; k < inputs; ++k) {
      const std::int64_t shared = shared_weight(d, j, k);
      weights.push_back(shared < 0 ? 0 : kernel.values[static_cast<std::size_t>(shared)]);
    }
  }
  d.perceptron = run_network(d, layer, "dense " + std::to_string(outputs), weights);
  // The gradient of a shared weight is the sum over all its connections.
  d.perceptron.gradient = {kernel.rows, kernel.columns, std::vector<double>(kernel.values.size())};
  for (std::int64_t j = 0; j < outputs; ++j) {
    for (std::int64_t k = 0; k < inputs; ++k) {
      const std::int64_t shared = shared_weight(d, j, k);
      if (shared >= 0)
        d.perceptron.gradient.values[static_cast<std::size_t>(shared)] +=
            d.perceptron.weights_gradient[static_cast<std::size_t>(j * inputs + k)];
    }
  }

  const Image& delta = d.convolution.delta;
  d.rotated_delta = convolve_full(delta, rotated(kernel));
  d.unrotated_delta = convolve_full(delta, kernel);
  if (layer == Below::kSigmoid) {
    multiply_by_slope(d.rotated_delta, d.a);
    multiply_by_slope(d.unrotated_delta, d.a);
  }
  // (δ * ROT180(a))(i, j) = Σ δ(x, y)·a(x−i, y−j): the output of a conv layer with filter δ on a, in reverse
  // order.
  d.gradient = rotated(correlate(d.a, delta, 0, 0));
  return d;
}

Example draw_example(std::uint64_t seed, std::pair<std::int64_t, std::int64_t> size,
                     std::pair<std::int64_t, std::int64_t> kernel) {
  RandomStream stream(random_key(seed, RandomPurpose::kSynthetic));
  const auto draw = [&](std::pair<std::int64_t, std::int64_t> extents) {
    Image p{extents.first, extents.second, {}};
    for (std::int64_t i = 0; i < p.rows * p.columns; ++i)
      p.values.push_back(static_cast<double>(stream.below(7)) - 3);
    return p;
  };
  Example example{.image = draw(size), .kernel = draw(kernel)};
  const auto is_zero = [](double value) { return value == 0; };
  while (std::all_of(example.kernel.values.begin(), example.kernel.values.end(), is_zero))
    example.kernel = draw(kernel);
  example.bias = static_cast<double>(stream.below(7)) - 3;
  const std::int64_t outputs = (size.first - kernel.first + 1) * (size.second - kernel.second + 1);
  example.target = static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(outputs)));
  return example;
}

double largest_difference(const Image& a, const Image& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double difference = std::abs(a.values[i] - b.values[i]);
    if (!(difference <= largest)) largest = difference;  // keeps NaN
  }
  return largest;
}

double equality_tolerance(const Derivation& d) {
  const auto is_integer = [](double value) { return value == std::floor(value); };
  const auto all_integers = [&](const Image& p) {
    return std::all_of(p.values.begin(), p.values.end(), is_integer);
  };
  if (all_integers(d.a) && all_integers(d.kernel) && is_integer(d.bias)) return 0;
  const auto sum = [](const Image& p) {
    return std::accumulate(p.values.begin(), p.values.end(), 0.,
                           [](double s, double v) { return s + std::abs(v); });
  };
  const auto largest = [](const Image& p) {
    return std::accumulate(p.values.begin(), p.values.end(), 0.,
                           [](double m, double v) { return std::max(m, std::abs(v)); });
  };
  const double terms = static_cast<double>(d.a.values.size() + d.convolution.z.values.size() + 8);
  const double most =
      std::max(1., largest(d.a)) * (1 + std::abs(d.bias) + sum(d.kernel)) * (1 + sum(d.convolution.delta));
  return terms * 0x1p-53 * most;
}

}  // namespace convoy::check
