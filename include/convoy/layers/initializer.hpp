#pragma once
// Initial values of parameters (Network::initialise() has the formulas).

#include <string_view>
#include <vector>

namespace convoy::nn {

enum class Initializer {
  kWeights,     ///< "auto": kHe or kGlorot, by the next layer's Nonlinearity
  kHe,          ///< normal, σ² = 2/fan_in (He et al. 2015)
  kGlorot,      ///< uniform, ±√(6/(fan_in + fan_out)) (Glorot & Bengio 2010)
  kLecun,       ///< normal, σ² = 1/fan_in (LeCun et al. 1998)
  kOrthogonal,  ///< orthonormal rows or columns, whichever are fewer (Saxe et al. 2014)
  kDirac,       ///< each output channel is its input channel, as far as there are; kWeights for the others
  kZeros,
  kOnes,
};

/// The values of a layer's option `init`, in the order of the enumeration without kOnes: "auto", "he",
/// "glorot", "lecun", "orthogonal", "dirac", "zero".
[[nodiscard]] const std::vector<std::string_view>& initializer_names();

}  // namespace convoy::nn
