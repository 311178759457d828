#pragma once
// The two-dimensional convolutions of the derivation (G. Gwardys 2016; src/CONTRACT.md, "Mathematics"), one
// image and one kernel at a time. * is a true convolution: the kernel is flipped.

#include <cstdint>
#include <utility>
#include <vector>

namespace convoy::reference {

/// Rows × columns of numbers, row by row.
struct Matrix {
  std::int64_t rows = 0, columns = 0;
  std::vector<double> values;

  Matrix() = default;
  Matrix(std::int64_t rows_, std::int64_t columns_)
      : rows(rows_), columns(columns_), values(static_cast<std::size_t>(rows_ * columns_)) {}
  Matrix(std::int64_t rows_, std::int64_t columns_, std::vector<double> values_)
      : rows(rows_), columns(columns_), values(std::move(values_)) {}

  double& operator()(std::int64_t y, std::int64_t x) {
    return values[static_cast<std::size_t>(y * columns + x)];
  }
  double operator()(std::int64_t y, std::int64_t x) const {
    return values[static_cast<std::size_t>(y * columns + x)];
  }
  /// 0 outside.
  double within(std::int64_t y, std::int64_t x) const {
    return y < 0 || y >= rows || x < 0 || x >= columns ? 0. : (*this)(y, x);
  }
};

/// ROT180(w)(i, j) = w(KH−1−i, KW−1−j).
Matrix rot180(const Matrix& w);

/// Full true convolution: (a * w)(x, y) = Σ_i Σ_j w(i, j)·a(x−i, y−j) at all positions with at least one
/// term; a is 0 outside. Size (rows + KH − 1) × (columns + KW − 1).
Matrix convolve_full(const Matrix& a, const Matrix& w);

/// Valid true convolution: the part of convolve_full with all terms, (rows − KH + 1) × (columns − KW + 1).
/// Element (0, 0) is element (KH−1, KW−1) of the derivation, the first with all terms.
Matrix convolve_valid(const Matrix& a, const Matrix& w);

/// Valid cross-correlation: Σ_i Σ_j v(i, j)·a(x+i, y+j).
Matrix correlate_valid(const Matrix& a, const Matrix& v);

}  // namespace convoy::reference
