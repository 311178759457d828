#include "reference/batchnorm.hpp"

#include <cmath>

namespace convoy::reference {
namespace {

/// Calls body(channel, element) for every element.
template <class Body>
void for_each_element(const BatchNorm& s, const Body& body) {
  for (std::int64_t n = 0; n < s.n; ++n)
    for (std::int64_t c = 0; c < s.c; ++c)
      for (std::int64_t i = 0; i < s.spatial; ++i) {
        body(static_cast<std::size_t>(c), static_cast<std::size_t>((n * s.c + c) * s.spatial + i));
      }
}

}  // namespace

BatchNormForward batchnorm_forward(const BatchNorm& s, const std::vector<double>& src,
                                   const std::vector<double>& weight, const std::vector<double>& bias) {
  const double m = static_cast<double>(s.n * s.spatial);
  const auto channels = static_cast<std::size_t>(s.c);
  BatchNormForward out{std::vector<double>(channels), std::vector<double>(channels),
                       std::vector<double>(src.size())};
  for_each_element(s, [&](std::size_t c, std::size_t i) { out.mean[c] += src[i] / m; });
  for_each_element(s, [&](std::size_t c, std::size_t i) {
    out.variance[c] += (src[i] - out.mean[c]) * (src[i] - out.mean[c]) / m;
  });
  for_each_element(s, [&](std::size_t c, std::size_t i) {
    out.dst[i] = (src[i] - out.mean[c]) / std::sqrt(out.variance[c] + s.epsilon) * weight[c] + bias[c];
  });
  return out;
}

BatchNormBackward batchnorm_backward(const BatchNorm& s, const std::vector<double>& src,
                                     const std::vector<double>& diff_dst, const std::vector<double>& weight) {
  const double m = static_cast<double>(s.n * s.spatial);
  const auto channels = static_cast<std::size_t>(s.c);
  const BatchNormForward unit =
      batchnorm_forward(s, src, std::vector<double>(channels, 1.), std::vector<double>(channels, 0.));
  const std::vector<double>& normalised = unit.dst;
  BatchNormBackward out{std::vector<double>(src.size()), std::vector<double>(channels),
                        std::vector<double>(channels)};
  for_each_element(s, [&](std::size_t c, std::size_t i) {
    out.diff_weight[c] += diff_dst[i] * normalised[i];
    out.diff_bias[c] += diff_dst[i];
  });
  for_each_element(s, [&](std::size_t c, std::size_t i) {
    out.diff_src[i] = weight[c] / std::sqrt(unit.variance[c] + s.epsilon) *
                      (diff_dst[i] - out.diff_bias[c] / m - normalised[i] * out.diff_weight[c] / m);
  });
  return out;
}

}  // namespace convoy::reference
