#pragma once
// Error: a layer cannot be made, or does not fit at its place in the network.

#include <string>

#include "convoy/core/error.hpp"

namespace convoy::nn {

/// Thrown by the layer factories and by NetworkBuilder. The text parser knows the line and reports its origin
/// instead (LayerLine::fail).
class LayerError : public ConfigError {
 public:
  /// "layer '<name>': <problem>", or the problem alone if the name is not known.
  explicit LayerError(const std::string& problem, const std::string& name = {})
      : ConfigError(name.empty() ? problem : "layer '" + name + "': " + problem), problem_(problem) {}
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  std::string problem_;
};

}  // namespace convoy::nn
