#pragma once
// The options of layers with their defaults, for nn::NetworkBuilder and the text form.

#include <optional>

#include "convoy/nn/attributes.hpp"

namespace convoy::nn {

struct ConvOptions {
  HeightWidth stride{1, 1};
  HeightWidth pad{0, 0};
  bool bias = true;
};

struct DenseOptions {
  bool bias = true;
};

struct BatchNormOptions {
  double eps = 1e-5;      ///< added to the variance, in [1e-12, 1]
  double momentum = 0.1;  ///< of the running statistics, in [0, 1] (nn::Statistic)
};

struct PoolOptions {
  std::optional<HeightWidth> stride{};  ///< default: the window
  HeightWidth pad{0, 0};                ///< at most half the window
};

}  // namespace convoy::nn
