#pragma once
// A network: layers in execution order, their connections, and the offsets of their parameters.
//
// All parameters of a network form one flat vector, in the order of the configuration; the statistics
// (running means and variances) form a second one. A gradient holds both: the parameters' diffs, then the
// micro-batch's statistics, so that one reduction covers both. Optimizer, checkpoint and reduction are flat
// loops.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "convoy/layers/layer.hpp"
#include "convoy/layers/layer_line.hpp"
#include "convoy/layers/registry.hpp"
#include "convoy/nn/loss.hpp"

namespace convoy::nn {

/// Index of the network's input in Node::inputs.
inline constexpr int kNetworkInput = -1;

/// A layer at its place in the network.
struct Node {
  std::string name;              ///< "conv1": keyword and count, or `name=`
  std::unique_ptr<Layer> layer;  ///< never null
  std::vector<int> inputs{};     ///< nodes whose outputs it reads; smaller indices only
  std::int64_t parameter_offset = 0;
  std::int64_t statistic_offset = 0;
};

/// A named range of a flat vector.
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
  /// From the nodes of NetworkBuilder: at least one, with different names, each after its inputs. Assigns the
  /// offsets. `lines`: the text form of the nodes.
  Network(const Shape& input, std::vector<Node> nodes, LossFunction loss, std::vector<std::string> lines);
  /// Builds the network from its text form `lines`, for images of shape `input` and `classes` outputs
  /// (nullopt: the outputs of the last layer). Throws ConfigError, naming the line, if a line is wrong, a
  /// shape does not fit, blocks are not closed, the last layer's output is not `classes` numbers, or softmax
  /// or sigmoid stands before a loss that applies it itself.
  Network(const Shape& input, const std::vector<LayerText>& lines, const LossFunction& loss,
          std::optional<std::int64_t> classes, const Registry& registry = Registry::standard());

  [[nodiscard]] const Shape& input() const { return input_; }
  [[nodiscard]] const Shape& shape_of(int node) const;
  /// True if backward needs ∂C/∂(output of `node`): false for the network's input and its views.
  [[nodiscard]] bool wants_diff(int node) const;
  [[nodiscard]] const LossFunction& loss() const { return loss_; }
  [[nodiscard]] std::int64_t classes() const { return shape_of(static_cast<int>(nodes_.size()) - 1).size(); }
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  /// The text form, a layer or a brace of a block per line, without defaults: the other constructor builds an
  /// equal network from it, unless a layer's keyword is not registered.
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

  [[nodiscard]] const std::vector<Tensor>& parameters() const { return parameters_; }
  [[nodiscard]] const std::vector<Tensor>& statistics() const { return statistics_; }
  [[nodiscard]] std::int64_t parameter_count() const { return parameter_count_; }
  [[nodiscard]] std::int64_t statistic_count() const { return statistic_count_; }
  /// Length of a gradient: parameters, then statistics.
  [[nodiscard]] std::int64_t gradient_size() const { return parameter_count_ + statistic_count_; }

  /// Assigns the initial values: a pure function of the network and `seed`. Initializer::kWeights is, before
  /// a rectifier, normal with σ² = Traits::he_gain/fan_in (He et al. 2015, eq. 10), else uniform,
  /// ±√(6/(fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16); layers/initializer.hpp has the others.
  void initialise(std::uint64_t seed, std::span<float> parameters, std::span<float> statistics) const;

  /// A table of layers, output shapes and parameter counts, one line per layer.
  [[nodiscard]] std::string summary() const;

 private:
  [[nodiscard]] double he_gain_after(int node) const;

  Shape input_;
  LossFunction loss_;
  std::vector<Node> nodes_;
  std::vector<std::string> lines_;
  std::vector<Shape> shapes_;
  std::vector<Tensor> parameters_;
  std::vector<Tensor> statistics_;
  std::int64_t parameter_count_ = 0;
  std::int64_t statistic_count_ = 0;
};

}  // namespace convoy::nn
