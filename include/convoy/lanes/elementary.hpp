#pragma once
// e^x, e^x − 1, the logistic function, tanh and the normal distribution on vectors, with an error of a few
// units in the last place of the result (of 1, for the normal distribution in float).
//
// Not from the C library, which chooses its implementation by processor, so that the last bit may differ
// between nodes (src/CONTRACT.md, "The same bits"). NaN stays NaN.

#include "convoy/lanes/simd.hpp"

namespace convoy::kernels {
namespace {

/// Polynomial in x by Horner's rule; highest coefficient first.
template <class Real, int N>
CONVOY_INLINE Vec<Real> polynomial(const Vec<Real>& x, const Real (&coefficients)[N]) {
  Vec<Real> sum = broadcast(coefficients[0]);
  CONVOY_UNROLL
  for (int i = 1; i < N; ++i) sum = fma(sum, x, broadcast(coefficients[i]));
  return sum;
}

template <class Real>
struct ExpConstants;

template <>
struct ExpConstants<float> {
  static constexpr float kLowest = -87.3365448F;  // ln of the smallest normal number
  // ln 2 in two parts, the first short enough that n·kLn2High is exact.
  static constexpr float kLn2High = 0.693359375F;
  static constexpr float kLn2Low = -2.12194440e-4F;
  static constexpr float kRound = 12582912.F;  // 1.5·2^23: adding it rounds to an integer
  static constexpr int kMantissaBits = 23;
  static constexpr int kBias = 127;
  // e^r = 1 + r + r²·P(r) on |r| ≤ ln(2)/2 (Cephes, expf).
  static constexpr float kPolynomial[] = {1.9875691500e-4F, 1.3981999507e-3F, 8.3334519073e-3F,
                                          4.1665795894e-2F, 1.6666665459e-1F, 5.0000001201e-1F};
};

template <>
struct ExpConstants<double> {
  static constexpr double kLowest = -708.39641853226408;
  static constexpr double kLn2High = 6.93145751953125e-1;
  static constexpr double kLn2Low = 1.42860682030941723212e-6;
  static constexpr double kRound = 6755399441055744.;  // 1.5·2^52
  static constexpr int kMantissaBits = 52;
  static constexpr int kBias = 1023;
  // The Taylor series up to r^14/14!; the remainder is below 2^-62.
  static constexpr double kPolynomial[] = {
      1. / 87178291200., 1. / 6227020800., 1. / 479001600., 1. / 39916800., 1. / 3628800.,
      1. / 362880.,      1. / 40320.,      1. / 5040.,      1. / 720.,      1. / 120.,
      1. / 24.,          1. / 6.,          1. / 2.};
};

/// |x|, by the sign bit.
template <class Real>
CONVOY_INLINE Vec<Real> absolute(const Vec<Real>& x) {
  const IntVec<Real> sign = (IntVec<Real>)broadcast(Real(-0.0));
  return (Vec<Real>)((IntVec<Real>)x & ~sign);
}

/// e^x for x ≤ 0; 0 if the result would be subnormal.
template <class Real>
CONVOY_INLINE Vec<Real> exp_of_nonpositive(const Vec<Real>& x) {
  using C = ExpConstants<Real>;
  // x = n·ln 2 + r. Adding kRound leaves n in the low bits of the mantissa.
  const Vec<Real> lowest = broadcast(C::kLowest);
  const Vec<Real> bounded = x < lowest ? lowest : x;
  const Vec<Real> shifted = fma(bounded, broadcast(Real(1.4426950408889634)), broadcast(C::kRound));
  const Vec<Real> n = shifted - broadcast(C::kRound);
  Vec<Real> r = fma(n, broadcast(-C::kLn2High), bounded);
  r = fma(n, broadcast(-C::kLn2Low), r);
  const Vec<Real> e = fma(polynomial<Real>(r, C::kPolynomial), r * r, r) + broadcast(Real(1));
  // 2^n through the exponent field: n + bias ≥ 1.
  const IntVec<Real> exponent = ((IntVec<Real>)shifted - (IntVec<Real>)broadcast(C::kRound)) + C::kBias;
  const Vec<Real> scaled = e * (Vec<Real>)(exponent << C::kMantissaBits);
  const Vec<Real> result = x < lowest ? Vec<Real>{} : scaled;
  return x != x ? x : result;
}

/// e^x − 1 for x ≤ 0, without cancellation near 0.
template <class Real>
CONVOY_INLINE Vec<Real> exp_minus_one_of_nonpositive(const Vec<Real>& x) {
  const Vec<Real> near = fma(polynomial<Real>(x, ExpConstants<Real>::kPolynomial), x * x, x);
  const Vec<Real> far = exp_of_nonpositive<Real>(x) - broadcast(Real(1));
  return x > broadcast(Real(-0.34)) ? near : far;
}

/// 1/(1 + e^−x), without overflow of the exponential.
template <class Real>
CONVOY_INLINE Vec<Real> logistic(const Vec<Real>& x) {
  const Vec<Real> one = broadcast(Real(1));
  const Vec<Real> e = exp_of_nonpositive<Real>(-absolute<Real>(x));
  const Vec<Real> numerator = x < Vec<Real>{} ? e : one;
  return numerator / (one + e);
}

/// tanh(x) − x for |x| < 0.625 (Cephes, tanhf and tanh).
CONVOY_INLINE Vec<float> tanh_minus_x(const Vec<float>& x) {
  constexpr float kPolynomial[] = {-5.70498872745e-3F, 2.06390887954e-2F, -5.37397155531e-2F,
                                   1.33314422036e-1F, -3.33332819422e-1F};
  const Vec<float> z = x * x;
  return polynomial<float>(z, kPolynomial) * z * x;
}

#if CONVOY_VECTOR_BYTES == 16
CONVOY_INLINE Vec<double> tanh_minus_x(const Vec<double>& x) {
  constexpr double kNumerator[] = {-9.64399179425052238628e-1, -9.92877231001918586564e1,
                                   -1.61468768441708447952e3};
  constexpr double kDenominator[] = {1., 1.12811678491632931402e2, 2.23548839060100448583e3,
                                     4.84406305325125486048e3};
  const Vec<double> z = x * x;
  return x * z * (polynomial<double>(z, kNumerator) / polynomial<double>(z, kDenominator));
}
#endif

template <class Real>
CONVOY_INLINE Vec<Real> hyperbolic_tangent(const Vec<Real>& x) {
  const Vec<Real> one = broadcast(Real(1));
  const Vec<Real> size = absolute<Real>(x);
  // Far from 0: (1 − e^−2|x|)/(1 + e^−2|x|), which saturates at 1; it would cancel near 0.
  const Vec<Real> e = exp_of_nonpositive<Real>(size * broadcast(Real(-2)));
  const Vec<Real> far = (one - e) / (one + e);
  const Vec<Real> signed_far = x < Vec<Real>{} ? -far : far;
  return size < broadcast(Real(0.625)) ? x + tanh_minus_x(x) : signed_far;
}

/// Φ(x) = ½ + x·N(x²) for |x| < 0.9·√2, and ½·erfc(t) = e^T(u) for t = |x|/√2 from 0.9 to 6, u = (t
/// − 3.45)/2.55 in [−1, 1]: both polynomials interpolate at the zeros of a Chebyshev polynomial, with errors
/// below 5e-9 and, in double, 1e-15.
template <class Real>
struct NormalConstants;

template <>
struct NormalConstants<float> {
  static constexpr float kNear[] = {-6.742580292e-6F, 1.108054921e-4F,  -1.183551756e-3F,
                                    9.972144938e-3F,  -6.649018544e-2F, 3.98942276e-1F};
  static constexpr float kTail[] = {-3.958258157e-4F, 1.348485899e-3F, -2.908379571e-3F, 6.906714702e-3F,
                                    -1.668570186e-2F, 3.859981134e-2F, -8.960915691e-2F, -6.281135803F,
                                    -1.828213297e1F,  -1.444469568e1F};
};

template <>
struct NormalConstants<double> {
  static constexpr double kNear[] = {
      -1.99203588950844283e-16, 7.70499285898028914e-15, -2.10940907588404071e-13, 5.11007421094055958e-12,
      -1.13008597698437418e-10, 2.27352692230399302e-9,  -4.12266722419919489e-8,  6.65969350757448525e-7,
      -9.44465625923126549e-6,  1.15434687616100281e-4,  -1.18732821548044774e-3,  9.97355701003581653e-3,
      -6.64903800669054463e-2,  3.98942280401432678e-1};
  static constexpr double kTail[] = {
      -1.29375231215463667e-8, 3.41218352248493777e-8,  1.99829994891429151e-9,  -6.18688044623027524e-8,
      3.14073742873479547e-8,  -1.11235418559086449e-7, 6.13210861472707758e-7,  -1.53333224577091951e-6,
      3.00122154464424481e-6,  -5.28013331637620115e-6, 7.25676062136430593e-6,  -3.56954966956398233e-6,
      -2.23400290651428823e-5, 1.15707479387586651e-4,  -3.90081801843020234e-4, 1.11383053558868931e-3,
      -2.89639985485818588e-3, 7.09063638319668903e-3,  -1.66929742062600178e-2, 3.85381168577495783e-2,
      -8.96080711989044876e-2, -6.28112833250712415,    -1.82821329878922833e1,  -1.44446958272124774e1};
};

/// Φ(x) = ½·(1 + erf(x/√2)); 0 below −8.5.
template <class Real>
CONVOY_INLINE Vec<Real> normal_distribution(const Vec<Real>& x) {
  using C = NormalConstants<Real>;
  const Vec<Real> t = absolute<Real>(x) * broadcast(Real(0.70710678118654752));
  const Vec<Real> half = broadcast(Real(0.5));
  const Vec<Real> near = fma(polynomial<Real>(x * x, C::kNear), x, half);
  const Vec<Real> u = (t - broadcast(Real(3.45))) * broadcast(Real(1 / 2.55));
  const Vec<Real> beyond =
      t > broadcast(Real(6)) ? Vec<Real>{} : exp_of_nonpositive<Real>(polynomial<Real>(u, C::kTail));
  const Vec<Real> far = x < Vec<Real>{} ? beyond : broadcast(Real(1)) - beyond;
  return t < broadcast(Real(0.9)) ? near : far;
}

/// The density of the normal distribution, e^(−x²/2)/√(2π).
template <class Real>
CONVOY_INLINE Vec<Real> normal_density(const Vec<Real>& x) {
  return exp_of_nonpositive<Real>(x * x * broadcast(Real(-0.5))) * broadcast(Real(0.39894228040143268));
}

}  // namespace
}  // namespace convoy::kernels
