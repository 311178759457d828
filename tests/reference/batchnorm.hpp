#pragma once
// Batch normalisation (Ioffe & Szegedy 2015) of src[n][c][spatial] with the statistics of these n samples.

#include <cstdint>
#include <vector>

namespace convoy::reference {

struct BatchNorm {
  std::int64_t n = 1, c = 1, spatial = 1;
  double epsilon = 1e-5;
};

struct BatchNormForward {
  std::vector<double> mean, variance;  ///< [c]; population variance
  std::vector<double> dst;             ///< (src − mean)/√(variance + ε)·weight + bias
};

struct BatchNormBackward {
  std::vector<double> diff_src, diff_weight, diff_bias;
};

BatchNormForward batchnorm_forward(const BatchNorm& shape, const std::vector<double>& src,
                                   const std::vector<double>& weight, const std::vector<double>& bias);

/// With x̂ = (src − mean)/√(variance + ε) and m = n·spatial: diff_weight = Σ diff_dst·x̂, diff_bias = Σ
/// diff_dst, diff_src = weight/√(variance + ε)·(diff_dst − diff_bias/m − x̂·diff_weight/m).
BatchNormBackward batchnorm_backward(const BatchNorm& shape, const std::vector<double>& src,
                                     const std::vector<double>& diff_dst, const std::vector<double>& weight);

}  // namespace convoy::reference
