#include "reference/derivation.hpp"

namespace convoy::reference {

Matrix rot180(const Matrix& w) {
  Matrix rotated(w.rows, w.columns);
  for (std::int64_t i = 0; i < w.rows; ++i) {
    for (std::int64_t j = 0; j < w.columns; ++j) rotated(i, j) = w(w.rows - 1 - i, w.columns - 1 - j);
  }
  return rotated;
}

Matrix convolve_full(const Matrix& a, const Matrix& w) {
  Matrix z(a.rows + w.rows - 1, a.columns + w.columns - 1);
  for (std::int64_t x = 0; x < z.rows; ++x)
    for (std::int64_t y = 0; y < z.columns; ++y)
      for (std::int64_t i = 0; i < w.rows; ++i)
        for (std::int64_t j = 0; j < w.columns; ++j) z(x, y) += w(i, j) * a.within(x - i, y - j);
  return z;
}

Matrix convolve_valid(const Matrix& a, const Matrix& w) {
  Matrix z(a.rows - w.rows + 1, a.columns - w.columns + 1);
  for (std::int64_t x = 0; x < z.rows; ++x)
    for (std::int64_t y = 0; y < z.columns; ++y)
      for (std::int64_t i = 0; i < w.rows; ++i)
        for (std::int64_t j = 0; j < w.columns; ++j)
          z(x, y) += w(i, j) * a(x + w.rows - 1 - i, y + w.columns - 1 - j);
  return z;
}

Matrix correlate_valid(const Matrix& a, const Matrix& v) {
  Matrix z(a.rows - v.rows + 1, a.columns - v.columns + 1);
  for (std::int64_t x = 0; x < z.rows; ++x)
    for (std::int64_t y = 0; y < z.columns; ++y)
      for (std::int64_t i = 0; i < v.rows; ++i)
        for (std::int64_t j = 0; j < v.columns; ++j) z(x, y) += v(i, j) * a(x + i, y + j);
  return z;
}

}  // namespace convoy::reference
