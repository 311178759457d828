#pragma once
// Loops for `convoy bench` that measure the peak rates of a core and its memory; not used by networks.

#include "convoy/lanes/simd.hpp"

namespace convoy::kernels {
namespace {

/// Number of registers of multiply_add_chains. Two units with latency 4 need 8 chains, four units (AArch64)
/// 16. With the two operands they fit the 16 registers of SSE and AVX2, and the 32 of AVX-512 and AArch64.
#if CONVOY_VECTOR_BYTES == 64 || defined(__aarch64__)
inline constexpr std::int64_t kChains = 24;
#else
inline constexpr std::int64_t kChains = 12;
#endif

template <class Real>
std::int64_t multiply_add_chains(std::int64_t rounds, Real factor, Real term, Real* result) {
  const Vec<Real> a = broadcast(factor);
  const Vec<Real> b = broadcast(term);
  Vec<Real> x[kChains];
  CONVOY_UNROLL
  for (std::int64_t i = 0; i < kChains; ++i) x[i] = broadcast(Real(i + 1));  // equal chains would be merged
  for (std::int64_t round = 0; round < rounds; ++round) {
    CONVOY_UNROLL
    for (std::int64_t i = 0; i < kChains; ++i) x[i] = fma(x[i], a, b);
  }
  Vec<Real> sum{};
  for (std::int64_t i = 0; i < kChains; ++i) sum += x[i];
  *result = horizontal_sum(sum);
  return rounds * kChains * kWidth<Real>;
}

template <class Real>
void triad(std::int64_t size, const Real* a, const Real* b, Real factor, Real* dst) {
  const Vec<Real> by = broadcast(factor);
  for (std::int64_t i = 0; i < size; i += kWidth<Real>)
    store<Real>(dst + i, fma(load(b + i), by, load(a + i)));
}

}  // namespace
}  // namespace convoy::kernels
