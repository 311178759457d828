#pragma once
// Builds a Network layer by layer. The text form of a network (the other constructor of Network) uses this
// class, so both give the same networks: names, order of parameters, initial values, masks.
//
//   Network network = NetworkBuilder({1, 28, 28})
//                         .conv(20, {5, 5}).maxpool({2, 2}).relu()
//                         .begin_residual().conv(20, {3, 3}, {.pad = {1, 1}}).batchnorm().end_residual()
//                         .dense(10).build(LossKind::kSoftmaxCrossEntropy);
//
// Every layer reads the output of the previous layer. Its default name is its keyword and a count from 1
// ("conv2"). All functions throw LayerError if the layer cannot be made, does not fit at its place, or its
// name is invalid or taken; the builder must not be used after an error.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/layers/layer_options.hpp"
#include "convoy/layers/registry.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::nn {

class NetworkBuilder {
 public:
  /// For images of shape `input`.
  explicit NetworkBuilder(const Shape& input) : input_(input) {}

  NetworkBuilder& conv(std::int64_t channels, const HeightWidth& kernel, const ConvOptions& options = {},
                       const std::string& name = {});
  NetworkBuilder& dense(std::int64_t outputs, const DenseOptions& options = {}, const std::string& name = {});
  NetworkBuilder& batchnorm(const BatchNormOptions& options = {}, const std::string& name = {});
  NetworkBuilder& maxpool(const HeightWidth& window, const PoolOptions& options = {},
                          const std::string& name = {});
  NetworkBuilder& avgpool(const HeightWidth& window, const PoolOptions& options = {},
                          const std::string& name = {});
  NetworkBuilder& globalavgpool(const std::string& name = {});
  /// `rate` in [0, 1): the share of elements set to 0.
  NetworkBuilder& dropout(double rate, const std::string& name = {});
  NetworkBuilder& flatten(const std::string& name = {});
  NetworkBuilder& relu(const std::string& name = {});
  NetworkBuilder& sigmoid(const std::string& name = {});
  NetworkBuilder& tanh(const std::string& name = {});
  /// For vectors: after flatten or dense.
  NetworkBuilder& softmax(const std::string& name = {});

  /// Adds a layer from its line, "groupnorm 4 name=first": for layers without their own function here. Throws
  /// ConfigError, naming word and origin, if the line is wrong.
  NetworkBuilder& layer(const LayerText& line, const Registry& registry = Registry::standard());

  /// Adds a layer made elsewhere, for images of shape(); `keyword` gives its name if `name` is empty.
  NetworkBuilder& add(std::unique_ptr<Layer> layer, std::string_view keyword, const std::string& name = {});

  /// Starts the body of a residual block; the block's output is body + shortcut (He et al. 2016). Blocks may
  /// be nested.
  NetworkBuilder& begin_residual();
  /// Starts the block's shortcut, which reads the same input as the body. The default shortcut is that input
  /// itself.
  NetworkBuilder& begin_shortcut();
  NetworkBuilder& end_residual();

  /// Starts the first of two branches, which read the same input and whose channels are joined, those of the
  /// first branch first; one of them may be empty, that input itself. More branches are branches in one.
  NetworkBuilder& begin_branches();
  NetworkBuilder& begin_second_branch();
  NetworkBuilder& end_branches();

  /// Starts the body of a gate: the block's output is its input times the body's output, which has the
  /// input's shape or one number per channel (squeeze-and-excitation, Hu et al. 2018).
  NetworkBuilder& begin_gate();
  NetworkBuilder& end_gate();

  /// Ends the block that was begun last.
  NetworkBuilder& end_block();

  /// Shape of the next layer's input.
  [[nodiscard]] const Shape& shape() const { return shape_of(last_); }
  /// Number of layers, block starts and block ends so far: the part of dropout's mask key that differs
  /// between layers.
  [[nodiscard]] std::uint64_t ordinal() const { return ordinal_; }

  /// Returns the network with its loss, for `classes` outputs (nullopt: the outputs of the last layer), and
  /// empties the builder. Throws LayerError if a block is open, the last layer's output is not `classes`
  /// numbers, or softmax or sigmoid stands before a loss that applies it itself; ConfigError if there is no
  /// layer, or the loss has class weights, but not one for each output.
  [[nodiscard]] Network build(const LossFunction& loss, std::optional<std::int64_t> classes = std::nullopt);

 private:
  enum class BlockKind { kResidual, kBranches, kGate };
  /// A block still open.
  struct OpenBlock {
    BlockKind kind = BlockKind::kResidual;
    int input = kNetworkInput;  ///< node before the block
    int first = kNetworkInput;  ///< last node of the body or first branch, once the other part has begun
    bool in_second = false;
  };

  [[nodiscard]] const Shape& shape_of(int node) const {
    return node == kNetworkInput ? input_ : shapes_[static_cast<std::size_t>(node)];
  }
  [[nodiscard]] std::string name_of(std::string_view keyword, const std::string& name);
  /// `make` makes the layer for shape().
  template <class Make>
  NetworkBuilder& place(std::string_view keyword, const std::string& name, Make&& make);
  NetworkBuilder& begin_block(BlockKind kind, const char* line);
  NetworkBuilder& begin_second(const char* line);
  /// Throws LayerError unless the innermost open block is of this kind.
  void require_open(BlockKind kind, const char* otherwise) const;
  /// Ends a block with the layer that joins its two parts.
  NetworkBuilder& join(std::unique_ptr<Layer> layer, const std::string& name, std::vector<int> inputs);
  void append(std::unique_ptr<Layer> layer, const std::string& name, std::vector<int> inputs);
  void check_end(const LossFunction& loss, std::optional<std::int64_t> classes) const;

  Shape input_;
  std::vector<Node> nodes_;
  std::vector<std::string> lines_;  ///< Network::lines()
  std::vector<Shape> shapes_;
  std::vector<OpenBlock> open_;
  std::map<std::string, int, std::less<>> counts_;  ///< layers named by each keyword
  int last_ = kNetworkInput;                        ///< node that the next layer reads
  std::uint64_t ordinal_ = 0;
};

}  // namespace convoy::nn
