#pragma once
// The options of layers with their defaults, for nn::NetworkBuilder and the text form.

#include <cstdint>
#include <optional>

#include "convoy/layers/attributes.hpp"
#include "convoy/layers/initializer.hpp"

namespace convoy::nn {

struct ConvOptions {
  HeightWidth stride{1, 1};
  HeightWidth pad{0, 0};
  HeightWidth dilation{1, 1};  ///< distance of neighbouring taps
  std::int64_t groups = 1;     ///< divides the input and output channels; as many as both: depthwise
  bool bias = true;
  Initializer init = Initializer::kWeights;  ///< of the weights; not kOnes
};

struct DenseOptions {
  bool bias = true;
  Initializer init = Initializer::kWeights;  ///< of the weights; not kOnes
};

struct BatchNormOptions {
  double eps = 1e-5;                      ///< added to the variance, in [1e-12, 1]
  double momentum = 0.1;                  ///< of the running statistics, in [0, 1] (nn::Statistic)
  bool scale = true;                      ///< false: the weight is 1 and is no parameter
  Initializer init = Initializer::kOnes;  ///< of the weight: kOnes or kZeros (Goyal et al. 2017)
};

struct GroupNormOptions {
  double eps = 1e-5;   ///< added to the variance, in [1e-12, 1]
  bool affine = true;  ///< false: neither weight nor bias
};

struct PoolOptions {
  std::optional<HeightWidth> stride{};  ///< default: the window
  HeightWidth pad{0, 0};                ///< at most half the window
};

}  // namespace convoy::nn
