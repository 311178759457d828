#pragma once
// Convolution layers as in src/CONTRACT.md ("Mathematics"): naive loops, double precision.
//
// Images are [n][c][h][w], weights [oc][ic][kh][kw] for correlation. No code or layout in common with the
// product.

#include <cstdint>
#include <vector>

namespace convoy::reference {

using Values = std::vector<double>;

/// n samples, ic channels of ih × iw to oc channels of oh × ow through kh × kw, strides s, paddings p,
/// dilations d, in groups of channels.
struct Convolution {
  std::int64_t n = 1;
  std::int64_t ic = 1, ih = 1, iw = 1;
  std::int64_t oc = 1;
  std::int64_t kh = 1, kw = 1;
  std::int64_t sh = 1, sw = 1;
  std::int64_t ph = 0, pw = 0;
  std::int64_t dh = 1, dw = 1;
  std::int64_t groups = 1;

  std::int64_t oh() const { return (ih + 2 * ph - dh * (kh - 1) - 1) / sh + 1; }
  std::int64_t ow() const { return (iw + 2 * pw - dw * (kw - 1) - 1) / sw + 1; }
  std::int64_t src_size() const { return n * ic * ih * iw; }
  std::int64_t dst_size() const { return n * oc * oh() * ow(); }
  std::int64_t weights_size() const { return oc * (ic / groups) * kh * kw; }
};

/// dst[n,oc,oy,ox] = b[oc] + Σ_{ic,ky,kx} src[n,ic,oy·s−p+ky·d,ox·s−p+kx·d]·v[oc,ic,ky,kx], ic over the
/// channels of the group of oc; `bias` may be empty.
Values convolution_forward(const Convolution& shape, const Values& src, const Values& weights,
                           const Values& bias);

/// diff_src[n,ic,iy,ix] = Σ diff_dst[n,oc,oy,ox]·v[oc,ic,ky,kx] over oy·s = iy+p−ky·d, ox·s = ix+p−kx·d.
Values convolution_backward_data(const Convolution& shape, const Values& diff_dst, const Values& weights);

/// diff_v[oc,ic,ky,kx] = Σ_{n,oy,ox} diff_dst[n,oc,oy,ox]·src[n,ic,oy·s−p+ky·d,ox·s−p+kx·d].
Values convolution_backward_weights(const Convolution& shape, const Values& src, const Values& diff_dst);

/// diff_b[oc] = Σ_{n,oy,ox} diff_dst[n,oc,oy,ox].
Values convolution_backward_bias(const Convolution& shape, const Values& diff_dst);

}  // namespace convoy::reference
