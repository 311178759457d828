#include "convoy/check/gradient_check.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "convoy/core/random.hpp"
#include "convoy/core/text.hpp"
#include "convoy/passes/operations.hpp"
#include "convoy/passes/workspace.hpp"
#include "gradient_probe.hpp"

namespace convoy::check {
namespace {

/// Relative steps, in the order of the sweep.
constexpr std::array<double, 6> kSteps{1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-3};
/// Least size of an entry: parameters near 0 move by the step times this value.
constexpr double kLeastSize = 0.1;
/// Initial probes are uniform in ±kProbeStart.
constexpr double kProbeStart = 0.1;

/// By node: true if it is an activation fused into the call of a previous layer.
std::vector<bool> fused_activations(const nn::Network& network) {
  std::vector<bool> is_fused(network.nodes().size());
  for (const passes::Operation& operation : passes::plan_operations(network)) {
    if (!operation.activation.is_none()) is_fused[static_cast<std::size_t>(operation.output)] = true;
  }
  return is_fused;
}

/// The lines with a probe before each layer and before the loss, except before fused activations: a probe
/// would prevent the fusion that training uses. `plain` is the network of `layers`.
std::vector<nn::LayerText> with_probes(const std::vector<nn::LayerText>& layers, const nn::Network& plain) {
  const std::vector<bool> is_fused = fused_activations(plain);
  std::vector<nn::LayerText> lines;
  const auto add_probe = [&] {  // with a name that no layer has
    lines.push_back({fmt::format("{} name=~{}", kProbeKeyword, lines.size()), "gradient check"});
  };
  std::size_t node = 0;  // node of the next line
  for (const nn::LayerText& line : layers) {
    const std::vector<std::string> words = split_words(line.text);
    const bool ends_block = words == std::vector<std::string>{"}"};
    const bool is_layer = words.back() != "{" && words.front() != "}";
    if (is_layer && !is_fused[node]) add_probe();
    if (is_layer || ends_block) ++node;
    lines.push_back(line);
  }
  add_probe();
  return lines;
}

nn::Network probed(const GradientCheckCase& what, nn::Registry registry) {
  // Report configuration errors for the network without probes.
  const nn::Network plain(what.input, what.layers, what.loss, what.classes, registry);
  const auto samples = static_cast<std::int64_t>(what.samples.size());
  registry.add(kProbeKeyword, {kProbeKeyword, [samples](nn::LayerLine&, const Shape& input) {
                                 return std::make_unique<Probe>(input, samples);
                               }});
  return nn::Network(what.input, with_probes(what.layers, plain), what.loss, what.classes, registry);
}

bool is_probe(const nn::Network& network, std::size_t node) {
  return network.nodes()[node].layer->keyword() == kProbeKeyword;
}

/// One TensorCheck per tensor, before any check. A probe's TensorCheck has the name of the layer behind it.
std::vector<TensorCheck> named_checks(const nn::Network& network) {
  std::vector<TensorCheck> checks;
  for (std::size_t node = 0; node < network.nodes().size(); ++node) {
    const bool is_last = node + 1 == network.nodes().size();
    const std::string after = is_last ? "loss" : network.nodes()[node + 1].name;
    for (const nn::Parameter& parameter : network.nodes()[node].layer->parameters()) {
      TensorCheck& check = checks.emplace_back();
      check.layer = is_probe(network, node) ? after : network.nodes()[node].name;
      check.name = parameter.name;
      check.dims = parameter.dims;
    }
  }
  return checks;
}

/// The initial values for this seed, and those of the probes. All are exact in float, so that the float
/// network has equal values.
std::vector<double> start_values(const GradientCheckCase& what, const nn::Network& network,
                                 const nn::Registry& registry) {
  const nn::Network plain(what.input, what.layers, what.loss, what.classes, registry);
  std::vector<float> initial(static_cast<std::size_t>(plain.parameter_count()));
  std::vector<float> statistics(static_cast<std::size_t>(plain.statistic_count()));
  plain.initialise(what.seed, initial, statistics);

  std::vector<double> values;
  auto next = initial.begin();
  RandomStream stream(random_key(what.seed, RandomPurpose::kTest));
  for (std::size_t node = 0; node < network.nodes().size(); ++node) {
    for (const nn::Parameter& parameter : network.nodes()[node].layer->parameters()) {
      for (std::int64_t i = 0; i < count(parameter.dims); ++i)
        values.push_back(static_cast<double>(
            is_probe(network, node) ? static_cast<float>(stream.uniform(-kProbeStart, kProbeStart))
                                    : *next++));
    }
  }
  return values;
}

/// The network at one point, in one precision.
template <class Real>
class Run {
 public:
  Run(const nn::Network& network, const GradientCheckCase& what, const kernels::KernelTable<Real>& kernels,
      const std::vector<double>& values)
      : network_(network),
        kernels_(kernels),
        labels_(what.labels),
        targets_(what.targets),
        batch_{.samples = what.samples, .seed = what.seed},
        workspace_(network, kernels.planner, batch_.size(), {.keep = passes::Keep::kAll}),
        parameters_(values.begin(), values.end()),
        statistics_(static_cast<std::size_t>(network.statistic_count())) {
    kernels.enter_thread();
    std::copy(what.images.begin(), what.images.end(), workspace_.input());
  }

  Real& parameter(std::int64_t i) { return parameters_[static_cast<std::size_t>(i)]; }

  /// Σ of the loss over the samples; nodes before `first` are not recomputed.
  double loss(int first = 0) {
    workspace_.forward(kernels_, Team(), values(), batch_, first);
    return (targets_.empty() ? workspace_.loss(batch_, labels_) : workspace_.loss(batch_, targets_)).loss_sum;
  }

  /// Call after loss().
  std::vector<Real> gradient() {
    // Fill with NaN, so that an element not assigned by backward is noticed.
    std::vector<Real> all(static_cast<std::size_t>(network_.gradient_size()),
                          std::numeric_limits<Real>::quiet_NaN());
    workspace_.backward(kernels_, Team(), values(), batch_, all.data());
    return all;
  }

  /// The side of the kink of each unit from node `first` on, one byte per unit: positive or not, or the
  /// layer's saved data (maxpool's indices).
  [[nodiscard]] std::vector<std::byte> sides(int first = 0) const {
    std::vector<std::byte> all;
    for (int node = first; node < static_cast<int>(network_.nodes().size()); ++node) {
      if (!network_.nodes()[static_cast<std::size_t>(node)].layer->traits().has_kinks) continue;
      const std::span<const std::byte> saved = workspace_.saved_by(node);
      all.insert(all.end(), saved.begin(), saved.end());
      if (!saved.empty()) continue;
      const Real* output = workspace_.output_of(node);
      const std::int64_t size = batch_.blocks() * network_.shape_of(node).size() * kLanes;
      for (std::int64_t i = 0; i < size; ++i) all.push_back(std::byte{output[i] > 0});
    }
    return all;
  }

 private:
  [[nodiscard]] passes::Values<Real> values() const { return {parameters_.data(), statistics_.data()}; }

  const nn::Network& network_;
  const kernels::KernelTable<Real>& kernels_;
  std::span<const std::int64_t> labels_;
  std::span<const float> targets_;
  nn::MicroBatch batch_;
  passes::Workspace<Real> workspace_;
  std::vector<Real> parameters_;
  std::vector<Real> statistics_;  // no effect in training
};

/// `wanted` different numbers below `size`, ascending; all numbers if `size` is smaller.
std::vector<std::int64_t> draw_entries(std::int64_t size, std::int64_t wanted, std::uint64_t key) {
  std::set<std::int64_t> drawn;
  RandomStream stream(key);
  for (std::int64_t i = 0; size <= wanted && i < size; ++i) drawn.insert(i);
  while (static_cast<std::int64_t>(drawn.size()) < std::min(size, wanted))
    drawn.insert(static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(size))));
  return {drawn.begin(), drawn.end()};
}

template <class Real>
double norm(std::span<const Real> values) {
  double sum = 0;
  for (const Real value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

/// The best result of the sweep.
struct Numeric {
  bool found = false;  ///< false: every step crosses a kink
  double value = 0;
  double error = 0;
};

/// NaN counts as the largest error.
bool is_worse(double error, double than) {
  return std::isnan(error) || error > than;
}

class Sweep {
 public:
  Sweep(Run<double>& run, double loss_sum) : run_(run), loss_sum_(loss_sum) {}

  /// The next entries belong to `node`. Call in descending order of nodes, so that previous nodes are
  /// unchanged.
  void go_to(int node) {
    node_ = node;
    (void)run_.loss(node);
    sides_ = run_.sides(node);
  }

  /// dC/dp = (C(p + h) − C(p − h)) / 2h for entry i.
  Numeric measure(std::int64_t i, double analytic, double tensor_scale) {
    Numeric best;
    double& p = run_.parameter(i);
    const double start = p;
    for (std::size_t k = 0; k < kSteps.size(); ++k) {
      const std::size_t which = (first_step_ + k) % kSteps.size();
      const double h = kSteps[which] * std::max(std::abs(start), kLeastSize);
      const double above = start + h;
      const double below = start - h;
      const std::optional<double> loss_above = loss_with(p, above);
      const std::optional<double> loss_below = loss_above ? loss_with(p, below) : std::nullopt;
      if (!loss_below) continue;
      const double numeric = (*loss_above - *loss_below) / (above - below);
      const double scale =
          std::max({std::abs(analytic), std::abs(numeric), tensor_scale, kSmall * std::abs(loss_sum_)});
      const double error = std::abs(numeric - analytic) / scale;
      if (!best.found || is_worse(best.error, error)) best = {true, numeric, error};
      if (error <= kGradientTolerance / 100) {
        first_step_ = which;
        break;
      }
    }
    p = start;
    return best;
  }

 private:
  /// The loss at p = value; nullopt if a unit crossed its kink.
  std::optional<double> loss_with(double& p, double value) {
    p = value;
    const double loss = run_.loss(node_);
    return run_.sides(node_) == sides_ ? std::optional(loss) : std::nullopt;
  }

  Run<double>& run_;
  double loss_sum_;
  int node_ = 0;
  std::size_t first_step_ = 0;  // good step of the last entry: the sweep starts there and wraps around
  std::vector<std::byte> sides_;
};

/// Checks `entries` entries of the tensor at `offset`.
void check_tensor(Sweep& sweep, std::span<const double> gradient, std::int64_t offset, std::int64_t entries,
                  std::uint64_t key, TensorCheck& check) {
  const std::int64_t size = count(check.dims);
  const auto part = gradient.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  const double root_mean_square = norm(part) / std::sqrt(static_cast<double>(size));
  for (const std::int64_t i : draw_entries(size, entries, key)) {
    const double analytic = part[static_cast<std::size_t>(i)];
    const Numeric numeric = sweep.measure(offset + i, analytic, root_mean_square);
    if (!numeric.found) {
      ++check.skipped;
      continue;
    }
    if (check.checked++ == 0 || is_worse(numeric.error, check.worst_error)) {
      check.worst_error = numeric.error;
      check.worst_index = i;
      check.analytic = analytic;
      check.numeric = numeric.value;
    }
  }
}

/// u · c · Σ over layers of √(terms of its sums), c = 16: each layer's rounding error, taken as random, grows
/// with the square root of the number of roundings. A layer counts once forward and once backward, and batch
/// normalisation divides by a deviation that may be below 1. A unit on the other side of its kink changes the
/// contribution of one of the K units of a layer, about √(1/K) of the norm; four times that for units of more
/// than average weight.
double float_tolerance(const nn::Network& network, std::int64_t samples, std::int64_t flips) {
  constexpr double kUnit = 0x1p-24;
  double roots = 0;
  double fewest = std::numeric_limits<double>::infinity();
  for (const nn::Node& node : network.nodes()) {
    const auto outputs = static_cast<double>(node.layer->output().size());
    roots += std::sqrt(std::max(1., static_cast<double>(node.layer->multiplications()) / outputs));
    if (node.layer->traits().has_kinks) fewest = std::min(fewest, outputs * static_cast<double>(samples));
  }
  return 16 * kUnit * roots + 4 * std::sqrt(static_cast<double>(flips) / fewest);
}

/// Root mean square over all parameters without probes. A gradient that cancels to 0, like that of a bias
/// before batchnorm, has the rounding errors of its terms, which are of this size.
double typical_gradient(const nn::Network& network, std::span<const double> gradient) {
  double squares = 0;
  std::int64_t elements = 0;
  for (const nn::Tensor& tensor : network.parameters()) {
    if (tensor.name == "input") continue;
    const double part = norm(
        gradient.subspan(static_cast<std::size_t>(tensor.offset), static_cast<std::size_t>(tensor.size())));
    squares += part * part;
    elements += tensor.size();
  }
  return std::sqrt(squares / static_cast<double>(std::max<std::int64_t>(elements, 1)));
}

void compare_with_float(const GradientCheckCase& what, const nn::Network& network,
                        const std::vector<double>& values, Run<double>& exact,
                        const std::vector<double>& gradient, GradientCheck& result) {
  Run<float> run(network, what, kernels::float_kernels(what.isa), values);
  (void)run.loss();
  const std::vector<std::byte> float_sides = run.sides();
  const std::vector<std::byte> double_sides = exact.sides();
  for (std::size_t i = 0; i < float_sides.size(); ++i)
    result.flips += float_sides[i] != double_sides[i] ? 1 : 0;
  const std::vector<float> rough = run.gradient();
  const double typical = typical_gradient(network, gradient);
  for (std::size_t t = 0; t < result.tensors.size(); ++t) {
    const nn::Tensor& tensor = network.parameters()[t];
    if (result.tensors[t].name == "input") continue;
    std::vector<double> difference;
    const auto first = static_cast<std::size_t>(tensor.offset);
    for (std::size_t i = first; i < first + static_cast<std::size_t>(tensor.size()); ++i)
      difference.push_back(static_cast<double>(rough[i]) - gradient[i]);
    const double size = norm(std::span(gradient).subspan(first, static_cast<std::size_t>(tensor.size())));
    const double small = typical * std::sqrt(static_cast<double>(tensor.size()));
    result.tensors[t].float_error = norm(std::span<const double>(difference)) / std::max(size, small);
    if (is_worse(result.tensors[t].float_error, result.tensors[result.worst_float].float_error))
      result.worst_float = t;
  }
  result.float_tolerance =
      float_tolerance(network, static_cast<std::int64_t>(what.samples.size()), result.flips);
}

}  // namespace

bool GradientCheck::gradients_right() const {
  return std::none_of(tensors.begin(), tensors.end(),
                      [](const TensorCheck& each) { return is_worse(each.worst_error, kGradientTolerance); });
}

bool GradientCheck::few_skipped() const {
  return static_cast<double>(skipped) <= kMostSkipped * static_cast<double>(checked + skipped);
}

bool GradientCheck::float_right() const {
  return std::none_of(tensors.begin(), tensors.end(),
                      [&](const TensorCheck& each) { return is_worse(each.float_error, float_tolerance); });
}

GradientCheck check_gradients(const GradientCheckCase& what, const nn::Registry& registry) {
  const nn::Network network = probed(what, registry);
  const std::vector<double> values = start_values(what, network, registry);
  Run<double> run(network, what, kernels::double_kernels(), values);
  const double loss_sum = run.loss();
  const std::vector<double> gradient = run.gradient();

  GradientCheck result;
  result.loss = loss_sum / static_cast<double>(what.samples.size());
  result.tensors = named_checks(network);
  compare_with_float(what, network, values, run, gradient, result);

  // From the last layer to the first: a change of a layer's parameters affects only later layers.
  Sweep sweep(run, loss_sum);
  std::size_t t = network.parameters().size();
  for (std::size_t node = network.nodes().size(); node-- > 0;) {
    const std::size_t tensors = network.nodes()[node].layer->parameters().size();
    if (tensors > 0) sweep.go_to(static_cast<int>(node));
    for (std::size_t k = 0; k < tensors; ++k) {
      --t;
      check_tensor(sweep, gradient, network.parameters()[t].offset, what.entries,
                   random_key(what.seed, RandomPurpose::kTest, t + 1), result.tensors[t]);
      result.checked += result.tensors[t].checked;
      result.skipped += result.tensors[t].skipped;
    }
  }
  for (std::size_t i = 0; i < result.tensors.size(); ++i)
    if (is_worse(result.tensors[i].worst_error, result.tensors[result.worst].worst_error)) result.worst = i;
  return result;
}

std::int64_t affordable_entries(const nn::Network& network) {
  constexpr double kBudget = 4e10;
  double multiplications = 0;
  double tensors = static_cast<double>(network.parameters().size());
  for (const nn::Node& node : network.nodes()) {
    multiplications += static_cast<double>(node.layer->multiplications());
    tensors += 1;  // the probe before the layer
  }
  // Two passes per entry if the first step suffices, each over half the network on average, all lanes.
  const double cost = std::max(1., multiplications) * static_cast<double>(kLanes) * tensors;
  return std::clamp(static_cast<std::int64_t>(kBudget / cost), std::int64_t{3}, std::int64_t{40});
}

}  // namespace convoy::check
