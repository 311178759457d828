#pragma once
// The keywords of `layer = …` lines and their layer factories.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "convoy/layers/layer.hpp"
#include "convoy/layers/layer_line.hpp"

namespace convoy::nn {

/// Factory of a layer from its line.
struct LayerMaker {
  std::string usage;  ///< "conv OC KHxKW [stride=1] [pad=0] [bias=yes]"
  /// Takes the words of the line and makes the layer for the given input shape; throws ConfigError
  /// (LayerLine::fail) or LayerError if they do not fit.
  std::function<std::unique_ptr<Layer>(LayerLine& line, const Shape& input)> make;
};

/// Keyword → maker. The structure words `residual {`, `} shortcut {`, `branches {`, `} and {`, `}` belong to
/// the text form of the Network (network_text.cpp).
class Registry {
 public:
  /// All layers of Convoy.
  [[nodiscard]] static Registry standard();

  /// Adds or replaces a keyword (tests add wrong layers).
  void add(const std::string& keyword, LayerMaker maker) { makers_[keyword] = std::move(maker); }

  /// Makes the layer of `line`; throws ConfigError naming the line, and the known keywords if the keyword is
  /// unknown.
  [[nodiscard]] std::unique_ptr<Layer> make(LayerLine& line, const Shape& input) const;

  [[nodiscard]] const std::map<std::string, LayerMaker>& makers() const { return makers_; }

 private:
  std::map<std::string, LayerMaker> makers_;
};

}  // namespace convoy::nn
