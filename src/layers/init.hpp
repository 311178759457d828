#pragma once
// The option init of conv and dense.

#include <string>

#include "convoy/layers/attributes.hpp"
#include "convoy/layers/initializer.hpp"
#include "convoy/layers/layer_line.hpp"

namespace convoy::nn {

/// Takes the option of a line.
[[nodiscard]] inline Initializer take_init(LayerLine& line) {
  const std::size_t name = line.take_option_choice("init", initializer_names(), 0);
  return static_cast<Initializer>(name);
}

inline void visit_init(AttributeVisitor& visitor, Initializer init) {
  const auto& names = initializer_names();
  visitor.option("init", std::string(names.at(static_cast<std::size_t>(init))), std::string(names.front()));
}

}  // namespace convoy::nn
