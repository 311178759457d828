#pragma once
// Group normalisation (Wu & He 2018) of src[n][c][spatial]: each sample's groups of c/groups channels.

#include <cstdint>
#include <vector>

namespace convoy::reference {

struct GroupNorm {
  std::int64_t n = 1, c = 1, spatial = 1, groups = 1;
  double epsilon = 1e-5;
};

struct GroupNormBackward {
  std::vector<double> diff_src, diff_weight, diff_bias;
};

/// dst = x̂·weight[c] + bias[c], x̂ = (src − mean)/√(variance + ε) with the mean and the population variance of
/// the group.
std::vector<double> groupnorm_forward(const GroupNorm& shape, const std::vector<double>& src,
                                      const std::vector<double>& weight, const std::vector<double>& bias);

/// The chain rule, element by element: ∂C/∂x_i = Σ_j ∂C/∂x̂_j·∂x̂_j/∂x_i over the elements j of i's group, with
/// ∂x̂_j/∂x_i = ([i = j] − 1/m − x̂_i·x̂_j/m)/√(variance + ε).
GroupNormBackward groupnorm_backward(const GroupNorm& shape, const std::vector<double>& src,
                                     const std::vector<double>& diff_dst, const std::vector<double>& weight);

}  // namespace convoy::reference
