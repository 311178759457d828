#pragma once
// Minimal filtering with the points 0, ±1/√2, ±√2, ∞ (Toom & Cook; Winograd 1980), from the definition:
// matrices made from the points, naive loops, double precision. Two purposes: to show that the method
// computes the convolution, and to bound its rounding error.
//
// For stride 1 and square kernels of r = 3 or 5, tiles of m = 7 − r outputs:
//   dst      = Aᵀ [ (G v Gᵀ) ⊙ (Bᵀ d B) ] A,      diff_v = Gᵀ [ Σ_tiles (A δ Aᵀ) ⊙ (Bᵀ d B) ] G.
// The error of such a chain of sums of products is at most γ_k times the same formula with absolute values
// (Higham, "Accuracy and Stability", ch. 3), k being the maximum number of roundings on a path from an input
// to the result.

#include "reference/convolution.hpp"

namespace convoy::reference {

enum class Arithmetic {
  kExact,       ///< the method itself
  kMagnitudes,  ///< absolute values of all matrices and operands: rounding errors are relative to these
};

/// True if the method is defined for the shape.
bool has_minimal_filtering(const Convolution& shape);

Values minimal_filtering_forward(const Convolution& shape, const Values& src, const Values& weights,
                                 const Values& bias, Arithmetic arithmetic);
Values minimal_filtering_backward_data(const Convolution& shape, const Values& diff_dst,
                                       const Values& weights, Arithmetic arithmetic);
Values minimal_filtering_backward_weights(const Convolution& shape, const Values& src, const Values& diff_dst,
                                          Arithmetic arithmetic);

/// Roundings of the transforms on one path, without the sum over channels or samples: at most 8 per axis
/// (constants, products and sums) for each of the three transforms, both axes.
inline constexpr std::int64_t kTransformRoundings = 48;

}  // namespace convoy::reference
