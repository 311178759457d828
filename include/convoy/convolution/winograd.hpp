#pragma once
// The transforms of minimal filtering (Winograd 1980; Lavin & Gray 2015), in the form of Toom and Cook:
// evaluate a product of polynomials at points, multiply point by point, interpolate.
//
// Six points, 0, ±1/√2, ±√2 and ∞, give m = 4 outputs of a kernel of 3, or 2 outputs of a kernel of 5, from 6
// inputs along an axis (F(4, 3), F(2, 5)); with both axes of an image, 36 products replace 144 or 100. With
// E_k the evaluation of a polynomial of k coefficients at the points (6 × k), N = diag(1, −3/2, −3/2, 6, 6,
// 1) and Bᵀ the rows below (the six Lagrange polynomials):
//   dst        = E_mᵀ [ (N⁻¹ E_r v E_rᵀ N⁻¹) ⊙ (Bᵀ d B) ] E_m  (d the 6 × 6 inputs of a tile)
//   diff_v     = E_rᵀ N⁻¹ [ (E_m δ E_mᵀ) ⊙ (Bᵀ d B) ] N⁻¹ E_r  (δ the tile's diff_dst; summed over tiles)
// The usual points 0, ±1, ±2 give errors about twice as large; these points keep the matrix entries small (at
// most 2√2). tests/unit/kernels checks the bound: the error is at most γ_k times the same formula with all
// values replaced by their absolute values, k being the number of roundings on a path.

#include "convoy/lanes/simd.hpp"

namespace convoy::kernels {
namespace {

/// Points along an axis.
inline constexpr int kPoints = 6;

/// The points a = 1/√2 and b = √2; a·b = 1.
template <class Real>
inline constexpr Real kPointA = Real(0.70710678118654752440);
template <class Real>
inline constexpr Real kPointB = Real(1.41421356237309504880);

/// v = Bᵀ d.
template <class Real>
CONVOY_INLINE void transform_inputs(const Vec<Real> (&d)[kPoints], Vec<Real> (&v)[kPoints]) {
  const Vec<Real> a = broadcast(kPointA<Real>);
  const Vec<Real> b = broadcast(kPointB<Real>);
  const Vec<Real> minus_two = broadcast(Real(-2));
  const Vec<Real> minus_half = broadcast(Real(-0.5));
  const Vec<Real> minus_middle = broadcast(Real(-2.5));
  const Vec<Real> even_a = fma(minus_two, d[2], d[4]);
  const Vec<Real> odd_a = a * fma(minus_two, d[1], d[3]);
  const Vec<Real> even_b = fma(minus_half, d[2], d[4]);
  const Vec<Real> odd_b = b * fma(minus_half, d[1], d[3]);
  v[0] = d[4] + fma(minus_middle, d[2], d[0]);
  v[1] = even_a + odd_a;
  v[2] = even_a - odd_a;
  v[3] = even_b + odd_b;
  v[4] = even_b - odd_b;
  v[5] = d[5] + fma(minus_middle, d[3], d[1]);
}

/// e = E_K c: the polynomial Σ c[k]·xᵏ at the points; at ∞ its last coefficient.
template <class Real, int K>
CONVOY_INLINE void evaluate(const Vec<Real> (&c)[K], Vec<Real> (&e)[kPoints]) {
  static_assert(K >= 2 && K <= 5);
  Vec<Real> even_a = c[0];
  Vec<Real> even_b = c[0];
  Vec<Real> odd_a = c[1];
  Vec<Real> odd_b = c[1];
  if constexpr (K > 2) {
    even_a = fma(broadcast(Real(0.5)), c[2], even_a);
    even_b = fma(broadcast(Real(2)), c[2], even_b);
  }
  if constexpr (K > 3) {
    odd_a = fma(broadcast(Real(0.5)), c[3], odd_a);
    odd_b = fma(broadcast(Real(2)), c[3], odd_b);
  }
  if constexpr (K > 4) {
    even_a = fma(broadcast(Real(0.25)), c[4], even_a);
    even_b = fma(broadcast(Real(4)), c[4], even_b);
  }
  odd_a *= broadcast(kPointA<Real>);
  odd_b *= broadcast(kPointB<Real>);
  e[0] = c[0];
  e[1] = even_a + odd_a;
  e[2] = even_a - odd_a;
  e[3] = even_b + odd_b;
  e[4] = even_b - odd_b;
  e[5] = c[K - 1];
}

/// c = E_Kᵀ e.
template <class Real, int K>
CONVOY_INLINE void interpolate(const Vec<Real> (&e)[kPoints], Vec<Real> (&c)[K]) {
  static_assert(K >= 2 && K <= 5);
  const Vec<Real> even_a = e[1] + e[2];
  const Vec<Real> even_b = e[3] + e[4];
  const Vec<Real> odd_a = broadcast(kPointA<Real>) * (e[1] - e[2]);
  const Vec<Real> odd_b = broadcast(kPointB<Real>) * (e[3] - e[4]);
  c[0] = e[0] + (even_a + even_b);
  c[1] = odd_a + odd_b;
  if constexpr (K > 2) c[2] = fma(broadcast(Real(2)), even_b, broadcast(Real(0.5)) * even_a);
  if constexpr (K > 3) c[3] = fma(broadcast(Real(2)), odd_b, broadcast(Real(0.5)) * odd_a);
  if constexpr (K > 4) c[4] = fma(broadcast(Real(4)), even_b, broadcast(Real(0.25)) * even_a);
  c[K - 1] += e[5];
}

/// Entry of N⁻¹ ⊗ N⁻¹ for point (py, px).
template <class Real>
constexpr Real inverse_norm(int py, int px) {
  constexpr double kInverse[kPoints] = {1, -2. / 3, -2. / 3, 1. / 6, 1. / 6, 1};
  return Real(kInverse[py] * kInverse[px]);
}

/// Both axes: transforms a K × K patch to kPoints × kPoints. `load_at(y, x)` returns the patch, `store_at(py,
/// px, v)` stores the result.
template <class Real, int K, class Load, class Store>
CONVOY_INLINE void evaluate_2d(const Load& load_at, const Store& store_at) {
  Vec<Real> half[K][kPoints];  // [x][py]
  CONVOY_UNROLL
  for (int x = 0; x < K; ++x) {
    Vec<Real> column[K];
    CONVOY_UNROLL
    for (int y = 0; y < K; ++y) column[y] = load_at(y, x);
    evaluate<Real, K>(column, half[x]);
  }
  CONVOY_UNROLL
  for (int py = 0; py < kPoints; ++py) {
    Vec<Real> row[K];
    Vec<Real> e[kPoints];
    CONVOY_UNROLL
    for (int x = 0; x < K; ++x) row[x] = half[x][py];
    evaluate<Real, K>(row, e);
    CONVOY_UNROLL
    for (int px = 0; px < kPoints; ++px) store_at(py, px, e[px]);
  }
}

/// The transpose of evaluate_2d: kPoints × kPoints to K × K.
template <class Real, int K, class Load, class Store>
CONVOY_INLINE void interpolate_2d(const Load& load_at, const Store& store_at) {
  Vec<Real> half[kPoints][K];  // [px][y]
  CONVOY_UNROLL
  for (int px = 0; px < kPoints; ++px) {
    Vec<Real> column[kPoints];
    CONVOY_UNROLL
    for (int py = 0; py < kPoints; ++py) column[py] = load_at(py, px);
    interpolate<Real, K>(column, half[px]);
  }
  CONVOY_UNROLL
  for (int y = 0; y < K; ++y) {
    Vec<Real> row[kPoints];
    Vec<Real> c[K];
    CONVOY_UNROLL
    for (int px = 0; px < kPoints; ++px) row[px] = half[px][y];
    interpolate<Real, K>(row, c);
    CONVOY_UNROLL
    for (int x = 0; x < K; ++x) store_at(y, x, c[x]);
  }
}

/// Bᵀ d B of a 6 × 6 patch.
template <class Real, class Load, class Store>
CONVOY_INLINE void transform_inputs_2d(const Load& load_at, const Store& store_at) {
  Vec<Real> half[kPoints][kPoints];  // [x][py]
  CONVOY_UNROLL
  for (int x = 0; x < kPoints; ++x) {
    Vec<Real> column[kPoints];
    CONVOY_UNROLL
    for (int y = 0; y < kPoints; ++y) column[y] = load_at(y, x);
    transform_inputs<Real>(column, half[x]);
  }
  CONVOY_UNROLL
  for (int py = 0; py < kPoints; ++py) {
    Vec<Real> row[kPoints];
    Vec<Real> v[kPoints];
    CONVOY_UNROLL
    for (int x = 0; x < kPoints; ++x) row[x] = half[x][py];
    transform_inputs<Real>(row, v);
    CONVOY_UNROLL
    for (int px = 0; px < kPoints; ++px) store_at(py, px, v[px]);
  }
}

}  // namespace
}  // namespace convoy::kernels
