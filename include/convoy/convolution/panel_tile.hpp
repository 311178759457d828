#pragma once
// The register tile of sums from packed operands (panels.hpp).

#include "convoy/convolution/panel_plan.hpp"
#include "convoy/convolution/taps.hpp"
#include "convoy/core/operations.hpp"
#include "convoy/lanes/activation.hpp"
#include "convoy/lanes/pairs.hpp"

namespace convoy::kernels {
namespace {

/// One register tile of T channels × X points:
///   out[t][x] = start + Σ_{i < terms} in[point[x] + offset[i]] · weights[i·kQuad + t]
/// with one register of lanes a point; the start is a bias, 0, or the old value of `out`.
template <class Real, class Factor>
struct PanelSum {
  const Factor* in;
  const std::int64_t* point;
  const std::int64_t* offset;
  std::int64_t terms;
  const Factor* weights;
  const Real* bias;  ///< of the tile's first channel; null: 0
  bool goes_on;
  Real* out;
  const std::int64_t* out_point;
  std::int64_t out_channel;
  Epilogue<Real> epilogue;
};

template <class Real, class Factor, int T, int X>
void panel_tile(const PanelSum<Real, Factor>& s) {
  const auto place = [&](int t, int x) { return t * s.out_channel + s.out_point[x]; };
  Vec<Real> sum[T][X];
  begin_tile<Real, T, X>(s.goes_on, s.out, s.bias, place, sum);
  const Factor* in[X];
  CONVOY_UNROLL
  for (int x = 0; x < X; ++x) in[x] = s.in + s.point[x];
  const Factor* w = s.weights;
  for (std::int64_t i = 0; i < s.terms; ++i) {
    const std::int64_t at = s.offset[i];
    Vec<Factor> point[X];
    CONVOY_UNROLL
    for (int x = 0; x < X; ++x) point[x] = load(in[x] + at);
    CONVOY_UNROLL
    for (int t = 0; t < T; ++t) {
      const Vec<Factor> weight = broadcast(w[t]);
      CONVOY_UNROLL
      for (int x = 0; x < X; ++x) sum[t][x] = fma(weight, point[x], sum[t][x]);
    }
    w += kQuad;
  }
  finish_tile<Real, T, X>(s.epilogue, place, sum, s.out);
}

/// The sums of up to 4 channels and up to kMaxPoints points, for all 16 lanes.
template <class Real, class Factor>
void panel_sums(const PanelSum<Real, Factor>& s, std::int64_t channels, std::int64_t points) {
  for (std::int64_t part = 0; part < kParts<Real>; ++part) {
    const auto of_part = part_of_lanes(s, part * kWidth<Real>);
    with_constant<kQuad>(channels, [&](auto t) {
      with_constant<kMaxPoints>(
          points, [&](auto x) { panel_tile<Real, Factor, decltype(t)::value, decltype(x)::value>(of_part); });
    });
  }
}

}  // namespace
}  // namespace convoy::kernels
