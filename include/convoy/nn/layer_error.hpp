#pragma once
// A layer that cannot be made, or does not fit where it stands.

#include <string>

#include "convoy/core/error.hpp"

namespace convoy::nn {

/// Thrown by what makes layers and by NetworkBuilder. What reads layers from text knows the line and says
/// where instead (LayerLine::fail).
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
