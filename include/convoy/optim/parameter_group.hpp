#pragma once
// Groups of parameters that are trained in another way than the rest (src/CONTRACT.md, "Configuration"). The
// model room applies them to the tensors of a network (model/parameter_groups.hpp).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::optim {

struct ParameterGroup {
  std::string name;
  /// Patterns of "layer.parameter" (matches()); a parameter is in the last group that has one for it.
  std::vector<std::string> match{};
  double rate_factor = 1;  ///< of the learning rate; > 0
  /// Of the weight decay; ≥ 0. Without it 1 for the weights of conv and dense, and 0 for others.
  std::optional<double> decay_factor{};
  bool is_frozen = false;                       ///< from the first step
  std::optional<double> freeze_after_epochs{};  ///< of the run, or of each fit of the library
};

/// True if `pattern` stands for `name`: '*' stands for any characters, also none, others for themselves.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

}  // namespace convoy::optim
