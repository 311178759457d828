#include "reference/convolution.hpp"

namespace convoy::reference {
namespace {

/// Index of x[a][b][c][d] in an array with the last three extents B, C, D.
std::size_t at(std::int64_t a, std::int64_t B, std::int64_t b, std::int64_t C, std::int64_t c, std::int64_t D,
               std::int64_t d) {
  return static_cast<std::size_t>(((a * B + b) * C + c) * D + d);
}

/// Calls body(index of src, of dst, of the weight) for every product of the layer; src is 0 outside the
/// image.
template <class Body>
void for_each_product(const Convolution& s, const Body& body) {
  for (std::int64_t n = 0; n < s.n; ++n)
    for (std::int64_t oc = 0; oc < s.oc; ++oc)
      for (std::int64_t oy = 0; oy < s.oh(); ++oy)
        for (std::int64_t ox = 0; ox < s.ow(); ++ox)
          for (std::int64_t i = 0; i < s.ic / s.groups; ++i)
            for (std::int64_t ky = 0; ky < s.kh; ++ky)
              for (std::int64_t kx = 0; kx < s.kw; ++kx) {
                const std::int64_t group = oc / (s.oc / s.groups);
                const std::int64_t ic = group * (s.ic / s.groups) + i;
                const std::int64_t iy = oy * s.sh - s.ph + ky * s.dh;
                const std::int64_t ix = ox * s.sw - s.pw + kx * s.dw;
                if (iy < 0 || iy >= s.ih || ix < 0 || ix >= s.iw) continue;
                body(at(n, s.ic, ic, s.ih, iy, s.iw, ix), at(n, s.oc, oc, s.oh(), oy, s.ow(), ox),
                     at(oc, s.ic / s.groups, i, s.kh, ky, s.kw, kx));
              }
}

Values zeros(std::int64_t size) {
  return Values(static_cast<std::size_t>(size));
}

}  // namespace

Values convolution_forward(const Convolution& s, const Values& src, const Values& weights,
                           const Values& bias) {
  Values dst = zeros(s.dst_size());
  const std::int64_t image = s.oh() * s.ow();
  if (!bias.empty()) {
    for (std::int64_t i = 0; i < s.dst_size(); ++i) {
      dst[static_cast<std::size_t>(i)] = bias[static_cast<std::size_t>(i / image % s.oc)];
    }
  }
  for_each_product(s, [&](std::size_t i, std::size_t o, std::size_t w) { dst[o] += src[i] * weights[w]; });
  return dst;
}

Values convolution_backward_data(const Convolution& s, const Values& diff_dst, const Values& weights) {
  Values diff_src = zeros(s.src_size());
  for_each_product(
      s, [&](std::size_t i, std::size_t o, std::size_t w) { diff_src[i] += diff_dst[o] * weights[w]; });
  return diff_src;
}

Values convolution_backward_weights(const Convolution& s, const Values& src, const Values& diff_dst) {
  Values diff_weights = zeros(s.weights_size());
  for_each_product(
      s, [&](std::size_t i, std::size_t o, std::size_t w) { diff_weights[w] += diff_dst[o] * src[i]; });
  return diff_weights;
}

Values convolution_backward_bias(const Convolution& s, const Values& diff_dst) {
  Values diff_bias = zeros(s.oc);
  const std::int64_t image = s.oh() * s.ow();
  for (std::int64_t i = 0; i < s.dst_size(); ++i) {
    diff_bias[static_cast<std::size_t>(i / image % s.oc)] += diff_dst[static_cast<std::size_t>(i)];
  }
  return diff_bias;
}

}  // namespace convoy::reference
