#pragma once
// A network: layers in the order they run, how they are joined, and where their parameters lie.
//
// All parameters of a network are one flat vector, layer by layer in the order of the configuration;
// statistics (running means and variances) are a second one. A gradient has the length of both: first the
// parameters' diffs, then the micro-batch's statistics, so that one reduction carries both. Optimizer,
// checkpoint and reduction are flat loops.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "convoy/nn/layer.hpp"
#include "convoy/nn/layer_line.hpp"
#include "convoy/nn/loss.hpp"
#include "convoy/nn/registry.hpp"

namespace convoy::nn {

/// Index that stands for the network's input among a node's inputs.
inline constexpr int kNetworkInput = -1;

/// A layer in its place.
struct Node {
  std::string name;              ///< "conv1": keyword and count, or `name=`
  std::unique_ptr<Layer> layer;  ///< never null
  std::vector<int> inputs{};     ///< nodes whose outputs it reads; all before it
  std::int64_t parameter_offset = 0;
  std::int64_t statistic_offset = 0;
};

/// A named stretch of a flat vector.
struct Tensor {
  std::string layer;  ///< "conv1"
  std::string name;   ///< "weight"
  Dims dims;
  std::int64_t offset = 0;
  bool decays = false;
  double momentum = 0;  ///< of a statistic (nn/layer.hpp)
  [[nodiscard]] std::int64_t size() const { return count(dims); }
};

class Network {
 public:
  /// Joins `nodes`, at least one, as NetworkBuilder has made them: names differ, and the inputs of each stand
  /// before it. Offsets are assigned here.
  Network(const Shape& input, std::vector<Node> nodes, LossKind loss);
  /// Builds the network of `lines`, its text form, for images of shape `input` and `classes` outputs
  /// (nothing: as many as its last layer has). Throws ConfigError,
  /// naming the line, where a line is wrong, a shape does not fit, blocks are not closed, the last layer's
  /// output is not `classes` numbers, or softmax or sigmoid stand before a loss that applies them itself.
  Network(const Shape& input, const std::vector<LayerText>& lines, LossKind loss,
          std::optional<std::int64_t> classes, const Registry& registry = Registry::standard());

  [[nodiscard]] const Shape& input() const { return input_; }
  [[nodiscard]] const Shape& shape_of(int node) const;
  /// Whether backward needs ∂C/∂(output of `node`): not of the network's input, nor of a view of it.
  [[nodiscard]] bool wants_diff(int node) const;
  [[nodiscard]] LossKind loss() const { return loss_; }
  [[nodiscard]] std::int64_t classes() const { return shape_of(static_cast<int>(nodes_.size()) - 1).size(); }
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }

  [[nodiscard]] const std::vector<Tensor>& parameters() const { return parameters_; }
  [[nodiscard]] const std::vector<Tensor>& statistics() const { return statistics_; }
  [[nodiscard]] std::int64_t parameter_count() const { return parameter_count_; }
  [[nodiscard]] std::int64_t statistic_count() const { return statistic_count_; }
  /// Length of a gradient: parameters, then statistics.
  [[nodiscard]] std::int64_t gradient_size() const { return parameter_count_ + statistic_count_; }

  /// Assigns the untrained network's values: a pure function of the network and `seed`.
  /// He et al. 2015, eq. 10: normal, σ² = Traits::he_gain/fan_in. Glorot & Bengio 2010, eq. 16: uniform,
  /// ±√(6/(fan_in + fan_out)).
  void initialise(std::uint64_t seed, std::span<float> parameters, std::span<float> statistics) const;

  /// A table of layers, output shapes and parameter counts, a line each.
  [[nodiscard]] std::string summary() const;

 private:
  [[nodiscard]] double he_gain_after(int node) const;

  Shape input_;
  LossKind loss_;
  std::vector<Node> nodes_;
  std::vector<Shape> shapes_;
  std::vector<Tensor> parameters_;
  std::vector<Tensor> statistics_;
  std::int64_t parameter_count_ = 0;
  std::int64_t statistic_count_ = 0;
};

}  // namespace convoy::nn
