#include "reference/groupnorm.hpp"

#include <cmath>

namespace convoy::reference {
namespace {

struct Normalised {
  std::vector<double> values;     ///< x̂
  std::vector<double> deviation;  ///< √(variance + ε) of the element's group
};

/// Elements of a group are neighbours: [n][groups][c/groups·spatial].
Normalised normalised(const GroupNorm& s, const std::vector<double>& src) {
  Normalised out{src, src};
  const auto m = static_cast<std::size_t>(s.c / s.groups * s.spatial);
  for (std::size_t begin = 0; begin < src.size(); begin += m) {
    double mean = 0;
    double variance = 0;
    for (std::size_t i = begin; i < begin + m; ++i) mean += src[i] / static_cast<double>(m);
    for (std::size_t i = begin; i < begin + m; ++i)
      variance += (src[i] - mean) * (src[i] - mean) / static_cast<double>(m);
    for (std::size_t i = begin; i < begin + m; ++i) {
      out.deviation[i] = std::sqrt(variance + s.epsilon);
      out.values[i] = (src[i] - mean) / out.deviation[i];
    }
  }
  return out;
}

std::size_t channel_of(const GroupNorm& s, std::size_t i) {
  return i / static_cast<std::size_t>(s.spatial) % static_cast<std::size_t>(s.c);
}

}  // namespace

std::vector<double> groupnorm_forward(const GroupNorm& s, const std::vector<double>& src,
                                      const std::vector<double>& weight, const std::vector<double>& bias) {
  std::vector<double> dst = normalised(s, src).values;
  for (std::size_t i = 0; i < dst.size(); ++i)
    dst[i] = dst[i] * weight[channel_of(s, i)] + bias[channel_of(s, i)];
  return dst;
}

GroupNormBackward groupnorm_backward(const GroupNorm& s, const std::vector<double>& src,
                                     const std::vector<double>& diff_dst, const std::vector<double>& weight) {
  const Normalised x = normalised(s, src);
  GroupNormBackward out{std::vector<double>(src.size()), std::vector<double>(weight.size()),
                        std::vector<double>(weight.size())};
  const auto m = static_cast<std::size_t>(s.c / s.groups * s.spatial);
  for (std::size_t i = 0; i < src.size(); ++i) {
    out.diff_weight[channel_of(s, i)] += diff_dst[i] * x.values[i];
    out.diff_bias[channel_of(s, i)] += diff_dst[i];
    for (std::size_t j = i / m * m; j < (i / m + 1) * m; ++j) {
      const double slope =
          ((i == j ? 1. : 0.) - (1 + x.values[i] * x.values[j]) / static_cast<double>(m)) / x.deviation[i];
      out.diff_src[i] += diff_dst[j] * weight[channel_of(s, j)] * slope;
    }
  }
  return out;
}

}  // namespace convoy::reference
