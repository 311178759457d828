#pragma once
// exp, log, sin, cos in double precision, without the C library.
//
// The C library chooses its implementation by processor, so its last bit may differ between nodes; code that
// affects the results uses these functions instead (src/CONTRACT.md, "The same bits"). Error at most 2 ulp
// over the range Convoy uses. std::sqrt and std::floor are exact by IEEE 754 and may be used directly.

namespace convoy::math {

/// e^x; 0 below -745, infinity above 709.78, NaN for NaN.
[[nodiscard]] double exp(double x);
/// Natural logarithm; -infinity for 0, NaN below 0.
[[nodiscard]] double log(double x);
/// log(1 + x) for x > -1, accurate near 0.
[[nodiscard]] double log1p(double x);
/// Cosine; |x| up to 1e5.
[[nodiscard]] double cos(double x);
/// Sine; |x| up to 1e5.
[[nodiscard]] double sin(double x);

}  // namespace convoy::math
