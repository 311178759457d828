#pragma once
// Vectors of one register, for the instruction set this translation unit is compiled for.
//
// The headers of the rooms lanes and convolution are compiled once per instruction set, only as parts of
// kernels/table.cpp. All their code is in an unnamed namespace, and they call no inline function of the
// standard library: of a function with external linkage the linker would keep one of several copies, and an
// AVX-512 copy could run on a machine without AVX-512 (a test searches for such symbols).

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "convoy/core/layout.hpp"

#if CONVOY_VECTOR_BYTES > 16
#include <immintrin.h>
#elif CONVOY_FUSED
#include <arm_neon.h>
#endif

#define CONVOY_INLINE [[gnu::always_inline]] inline

/// Register tiles are arrays of vectors; they stay in registers only if the loops over them are unrolled. Not
/// with sanitizers: compiling their checks in every unrolled copy would take minutes.
#if CONVOY_SANITIZED
#define CONVOY_UNROLL
#elif defined(__clang__)
#define CONVOY_UNROLL _Pragma("unroll")
#else
#define CONVOY_UNROLL _Pragma("GCC unroll 24")
#endif

namespace convoy::kernels {
namespace {

/// Elements of one register.
template <class Real>
inline constexpr std::int64_t kWidth = CONVOY_VECTOR_BYTES / static_cast<std::int64_t>(sizeof(Real));

/// Registers for 16 lanes.
template <class Real>
inline constexpr std::int64_t kParts = kLanes / kWidth<Real>;

template <class Real>
struct VecTypes;

template <>
struct VecTypes<float> {
  typedef float Real __attribute__((vector_size(CONVOY_VECTOR_BYTES)));
  typedef std::int32_t Int __attribute__((vector_size(CONVOY_VECTOR_BYTES)));
  typedef std::int32_t Index __attribute__((vector_size(CONVOY_VECTOR_BYTES)));
};

template <>
struct VecTypes<double> {
  typedef double Real __attribute__((vector_size(CONVOY_VECTOR_BYTES)));
  typedef std::int64_t Int __attribute__((vector_size(CONVOY_VECTOR_BYTES)));
  typedef std::int32_t Index __attribute__((vector_size(CONVOY_VECTOR_BYTES / 2)));
};

/// Two bfloat16 numbers, the first in the low half: operand of a dot product of pairs.
using Pair = std::uint32_t;

template <>
struct VecTypes<Pair> {
  typedef std::uint32_t Real __attribute__((vector_size(CONVOY_VECTOR_BYTES)));
};

/// One register of Real.
template <class Real>
using Vec = typename VecTypes<Real>::Real;
/// Integers as wide as Real: result of a comparison of two Vec (all bits set if true).
template <class Real>
using IntVec = typename VecTypes<Real>::Int;

template <class Real>
CONVOY_INLINE Vec<Real> load(const Real* from) {
  Vec<Real> v;
  __builtin_memcpy(&v, from, sizeof(v));
  return v;
}

template <class Real>
CONVOY_INLINE void store(Real* to, const Vec<Real>& v) {
  __builtin_memcpy(to, &v, sizeof(v));
}

template <class Real>
CONVOY_INLINE Vec<Real> broadcast(Real x) {
  return x - Vec<Real>{};  // x − 0 has the bits of x, also for −0 and NaN; compiles to a broadcast
}

/// a·b + c, rounded once if the set has fused multiply-adds (CONVOY_FUSED), else twice.
CONVOY_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
#if CONVOY_VECTOR_BYTES == 64
  return _mm512_fmadd_ps(a, b, c);
#elif CONVOY_VECTOR_BYTES == 32
  return _mm256_fmadd_ps(a, b, c);
#elif CONVOY_FUSED
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}

#if CONVOY_VECTOR_BYTES == 16
CONVOY_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
#if CONVOY_FUSED
  return vfmaq_f64(c, a, b);
#else
  return a * b + c;
#endif
}
#endif

/// The bits of a float, or of each float of a vector, rounded to bfloat16 (to nearest, ties to even) in the
/// high half; NaN stays NaN.
template <class Bits, class Mask>
CONVOY_INLINE Bits bfloat16_bits(const Bits& bits, const Mask& is_number) {
  const Bits rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) & 0xffff0000U;
  const Bits quiet = (bits | 0x00400000U) & 0xffff0000U;
  return is_number ? rounded : quiet;
}
CONVOY_INLINE Vec<Pair> bfloat16_bits(const Vec<float>& x) {
  return bfloat16_bits((Vec<Pair>)x, x == x);
}

CONVOY_INLINE Vec<Pair> make_pairs(const Vec<float>& first, const Vec<float>& second) {
  return (bfloat16_bits(first) >> 16) | bfloat16_bits(second);
}

/// make_pairs of one element each.
CONVOY_INLINE Pair pair_of(float first, float second) {
  Pair bits[2];
  __builtin_memcpy(&bits[0], &first, sizeof(first));
  __builtin_memcpy(&bits[1], &second, sizeof(second));
  return bfloat16_bits(bits[0], first == first) >> 16 | bfloat16_bits(bits[1], second == second);
}

/// Stores the 16-bit numbers of x contiguously.
CONVOY_INLINE void store_halves(std::uint16_t* to, const Vec<float>& x) {
  typedef std::uint16_t Halves __attribute__((vector_size(CONVOY_VECTOR_BYTES / 2)));
  const auto halves = __builtin_convertvector(bfloat16_bits(x) >> 16, Halves);
  __builtin_memcpy(to, &halves, sizeof(halves));
}

/// c + b₁·a₁ + b₀·a₀ in this order, each rounded once. Products of bfloat16 numbers are exact in float, so
/// this equals VDPBF16PS, also without fused multiply-add.
CONVOY_INLINE Vec<float> fma(const Vec<Pair>& a, const Vec<Pair>& b, const Vec<float>& c) {
#if defined(__AVX512BF16__) && CONVOY_VECTOR_BYTES == 64
  return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b);
#else
  const Vec<float> odd = fma((Vec<float>)(a & 0xffff0000U), (Vec<float>)(b & 0xffff0000U), c);
  return fma((Vec<float>)(a << 16), (Vec<float>)(b << 16), odd);
#endif
}

/// Sum of a vector's elements in a balanced tree: pairs at distance width/2, then width/4, …, 1.
template <class V>
CONVOY_INLINE auto horizontal_sum(const V& v) {
  constexpr auto kSize = sizeof(v) / sizeof(v[0]);
  if constexpr (kSize == 16) {
    return horizontal_sum(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                          __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
  } else if constexpr (kSize == 8) {
    return horizontal_sum(__builtin_shufflevector(v, v, 0, 1, 2, 3) +
                          __builtin_shufflevector(v, v, 4, 5, 6, 7));
  } else if constexpr (kSize == 4) {
    return (v[0] + v[2]) + (v[1] + v[3]);
  } else {
    static_assert(kSize == 2);
    return v[0] + v[1];
  }
}

/// Sum of 16 lanes in registers part(0), part(1), …: pairs at distance 8, then 4, 2, 1, for any width of a
/// register.
template <class Real, class Part>
CONVOY_INLINE Real sum_of_lanes(const Part& part) {
  Vec<Real> sum[kParts<Real>];
  CONVOY_UNROLL
  for (std::int64_t i = 0; i < kParts<Real>; ++i) sum[i] = part(i);
  CONVOY_UNROLL
  for (std::int64_t half = kParts<Real> / 2; half > 0; half /= 2) {
    CONVOY_UNROLL
    for (std::int64_t i = 0; i < half; ++i) sum[i] += sum[i + half];
  }
  return horizontal_sum(sum[0]);
}

CONVOY_INLINE std::int64_t min(std::int64_t a, std::int64_t b) {
  return a < b ? a : b;
}
CONVOY_INLINE std::int64_t max(std::int64_t a, std::int64_t b) {
  return a > b ? a : b;
}
CONVOY_INLINE std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace
}  // namespace convoy::kernels
