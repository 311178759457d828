#include "convoy/core/math.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace convoy::math {
namespace {

// ln 2 = kLn2High + kLn2Low; the high part has 20 trailing zero bits, so k·kLn2High is exact for |k| < 2^20.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
// π/2 in three parts of 33, 33 and 53 bits (Cody & Waite).
constexpr double kHalfPi1 = 1.57079632673412561417e+00;
constexpr double kHalfPi2 = 6.07710050630396597660e-11;
constexpr double kHalfPi3 = 2.02226624879595063154e-21;

double power_of_two(int k) {  // -1022 <= k <= 1023
  return std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
}

// Taylor series on |r| <= π/4; the first dropped term is below 1e-17.
double sin_series(double r) {
  const double s = r * r;
  double sum = 0;
  for (int k = 19; k >= 3; k -= 2) sum = (1 + sum) * (-s / ((k - 1) * k));
  return r + r * sum;
}

double cos_series(double r) {
  const double s = r * r;
  double sum = 0;
  for (int k = 20; k >= 2; k -= 2) sum = (1 + sum) * (-s / ((k - 1) * k));
  return 1 + sum;
}

// x = quadrant·π/2 + r, |r| <= π/4.
double reduce(double x, int& quadrant) {
  const double k = std::floor(x * (2 / 3.14159265358979323846) + 0.5);
  quadrant = static_cast<int>(static_cast<std::int64_t>(k) & 3);
  return ((x - k * kHalfPi1) - k * kHalfPi2) - k * kHalfPi3;
}

// log(m) = 2·artanh(s), s = f / (2 + f), for m = 1 + f in [√½, √2].
double log_one_plus(double f) {
  const double s = f / (2 + f);
  const double z = s * s;
  double sum = 0;
  for (int k = 25; k >= 3; k -= 2) sum = z * (1.0 / k + sum);
  return 2 * (s + s * sum);
}

}  // namespace

double exp(double x) {
  if (std::isnan(x)) return x;
  if (x > 709.782712893384) return std::numeric_limits<double>::infinity();
  if (x < -745.2) return 0;
  const double k = std::floor(x * 1.44269504088896340736 + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double sum = 0;  // e^r = 1 + r(1 + r/2(1 + r/3(…))), |r| <= 0.35: 14 terms reach 1e-17
  for (int n = 14; n >= 2; --n) sum = (1 + sum) * (r / n);
  const double value = 1 + (r + r * sum);
  const int half = static_cast<int>(k) / 2;  // in two steps, so that subnormal results are rounded once
  return value * power_of_two(half) * power_of_two(static_cast<int>(k) - half);
}

double log(double x) {
  if (std::isnan(x) || x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return -std::numeric_limits<double>::infinity();
  if (std::isinf(x)) return x;
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // [½, 1)
  if (m < 0.70710678118654752440) {
    m *= 2;
    --exponent;
  }
  const double k = exponent;
  return k * kLn2High + (log_one_plus(m - 1) + k * kLn2Low);
}

double log1p(double x) {
  if (x > -0.29 && x < 0.41) return log_one_plus(x);
  return log(1 + x);
}

double sin(double x) {
  int quadrant = 0;
  const double r = reduce(x, quadrant);
  const double value = (quadrant & 1) != 0 ? cos_series(r) : sin_series(r);
  return (quadrant & 2) != 0 ? -value : value;
}

double cos(double x) {
  int quadrant = 0;
  const double r = reduce(x, quadrant);
  const double value = (quadrant & 1) != 0 ? sin_series(r) : cos_series(r);
  return quadrant == 1 || quadrant == 2 ? -value : value;
}

}  // namespace convoy::math
