#include "reference/minimal_filtering.hpp"

#include <cmath>
#include <functional>

namespace convoy::reference {
namespace {

constexpr std::int64_t kPoints = 6;  // the last is ∞

struct Matrix {
  std::int64_t rows = 0, columns = 0;
  Values values;
  Matrix(std::int64_t r, std::int64_t c) : rows(r), columns(c), values(static_cast<std::size_t>(r * c)) {}
  double& operator()(std::int64_t i, std::int64_t j) {
    return values[static_cast<std::size_t>(i * columns + j)];
  }
  double operator()(std::int64_t i, std::int64_t j) const {
    return values[static_cast<std::size_t>(i * columns + j)];
  }
};

Matrix transposed(const Matrix& a) {
  Matrix t(a.columns, a.rows);
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < a.columns; ++j) t(j, i) = a(i, j);
  return t;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.rows, b.columns);
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t j = 0; j < b.columns; ++j)
      for (std::int64_t k = 0; k < a.columns; ++k) c(i, j) += a(i, k) * b(k, j);
  return c;
}

/// a x aᵀ: both axes of an image.
Matrix both_axes(const Matrix& a, const Matrix& x) {
  return product(product(a, x), transposed(a));
}

struct Matrices {
  Matrix a, g, bt;  // A: 6 × m, G: 6 × r, Bᵀ: 6 × 6

  Matrices(std::int64_t r, Arithmetic arithmetic)
      : a(kPoints, kPoints + 1 - r), g(kPoints, r), bt(kPoints, kPoints) {
    const double points[] = {0, std::sqrt(0.5), -std::sqrt(0.5), std::sqrt(2.), -std::sqrt(2.)};
    const auto times = [](const Values& polynomial, double root) {  // · (x − root)
      Values result(polynomial.size() + 1);
      for (std::size_t i = 0; i < polynomial.size(); ++i) {
        result[i + 1] += polynomial[i];
        result[i] -= root * polynomial[i];
      }
      return result;
    };
    Values all{1};
    for (std::int64_t j = 0; j < kPoints - 1; ++j) {
      double norm = 1;
      Values others{1};
      for (std::int64_t k = 0; k < kPoints - 1; ++k) {
        if (k == j) continue;
        norm *= points[j] - points[k];
        others = times(others, points[k]);
      }
      all = times(all, points[j]);
      for (std::int64_t i = 0; i < a.columns; ++i) a(j, i) = std::pow(points[j], static_cast<double>(i));
      for (std::int64_t i = 0; i < r; ++i) g(j, i) = std::pow(points[j], static_cast<double>(i)) / norm;
      for (std::size_t i = 0; i < others.size(); ++i) bt(j, static_cast<std::int64_t>(i)) = others[i];
    }
    a(kPoints - 1, a.columns - 1) = 1;
    g(kPoints - 1, r - 1) = 1;
    for (std::int64_t i = 0; i < kPoints; ++i) bt(kPoints - 1, i) = all[static_cast<std::size_t>(i)];
    if (arithmetic == Arithmetic::kMagnitudes) {
      for (Matrix* matrix : {&a, &g, &bt})
        for (double& value : matrix->values) value = std::fabs(value);
    }
  }
};

void multiply_add(const Matrix& u, const Matrix& v, Matrix& sum) {
  for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += u.values[i] * v.values[i];
}

/// Reads an image [h][w] with a border of zeros.
double at(const double* image, std::int64_t h, std::int64_t w, std::int64_t y, std::int64_t x) {
  return y >= 0 && y < h && x >= 0 && x < w ? image[y * w + x] : 0;
}

Matrix patch(const double* image, std::int64_t h, std::int64_t w, std::int64_t y, std::int64_t x,
             std::int64_t size) {
  Matrix d(size, size);
  for (std::int64_t i = 0; i < size; ++i)
    for (std::int64_t j = 0; j < size; ++j) d(i, j) = at(image, h, w, y + i, x + j);
  return d;
}

/// out[n,c] = Σ_r in[n,r] ⋆ weights(c, r), stride 1, by tiles.
Values correlate(const Matrices& m, std::int64_t n, std::int64_t reduce, std::int64_t channels,
                 std::int64_t from_h, std::int64_t from_w, std::int64_t to_h, std::int64_t to_w,
                 std::int64_t ph, std::int64_t pw, const Values& in,
                 const std::function<Matrix(std::int64_t, std::int64_t)>& weights) {
  const std::int64_t tile = m.a.columns;
  std::vector<Matrix> u;
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t r = 0; r < reduce; ++r) u.push_back(both_axes(m.g, weights(c, r)));
  Values out(static_cast<std::size_t>(n * channels * to_h * to_w));
  for (std::int64_t sample = 0; sample < n; ++sample)
    for (std::int64_t y = 0; y < to_h; y += tile)
      for (std::int64_t x = 0; x < to_w; x += tile) {
        std::vector<Matrix> v;
        for (std::int64_t r = 0; r < reduce; ++r)
          v.push_back(both_axes(m.bt, patch(in.data() + (sample * reduce + r) * from_h * from_w, from_h,
                                            from_w, y - ph, x - pw, kPoints)));
        for (std::int64_t c = 0; c < channels; ++c) {
          Matrix sum(kPoints, kPoints);
          for (std::int64_t r = 0; r < reduce; ++r)
            multiply_add(u[static_cast<std::size_t>(c * reduce + r)], v[static_cast<std::size_t>(r)], sum);
          const Matrix result = both_axes(transposed(m.a), sum);
          for (std::int64_t i = 0; i < tile && y + i < to_h; ++i)
            for (std::int64_t j = 0; j < tile && x + j < to_w; ++j)
              out[static_cast<std::size_t>(((sample * channels + c) * to_h + y + i) * to_w + x + j)] =
                  result(i, j);
        }
      }
  return out;
}

}  // namespace

bool has_minimal_filtering(const Convolution& s) {
  return s.kh == s.kw && (s.kh == 3 || s.kh == 5) && s.sh == 1 && s.sw == 1 && s.ph < s.kh && s.pw < s.kw &&
         s.dh == 1 && s.dw == 1 && s.groups == 1;
}

Values minimal_filtering_forward(const Convolution& s, const Values& src, const Values& weights,
                                 const Values& bias, Arithmetic arithmetic) {
  Values dst =
      correlate(Matrices(s.kh, arithmetic), s.n, s.ic, s.oc, s.ih, s.iw, s.oh(), s.ow(), s.ph, s.pw, src,
                [&](std::int64_t oc, std::int64_t ic) {
                  return patch(weights.data() + (oc * s.ic + ic) * s.kh * s.kw, s.kh, s.kw, 0, 0, s.kh);
                });
  const std::int64_t image = s.oh() * s.ow();
  for (std::size_t i = 0; i < dst.size() && !bias.empty(); ++i)
    dst[i] += bias[static_cast<std::size_t>(static_cast<std::int64_t>(i) / image % s.oc)];
  return dst;
}

Values minimal_filtering_backward_data(const Convolution& s, const Values& diff_dst, const Values& weights,
                                       Arithmetic arithmetic) {
  return correlate(Matrices(s.kh, arithmetic), s.n, s.oc, s.ic, s.oh(), s.ow(), s.ih, s.iw, s.kh - 1 - s.ph,
                   s.kw - 1 - s.pw, diff_dst, [&](std::int64_t ic, std::int64_t oc) {
                     Matrix rotated(s.kh, s.kw);
                     for (std::int64_t i = 0; i < s.kh; ++i)
                       for (std::int64_t j = 0; j < s.kw; ++j)
                         rotated(i, j) = weights[static_cast<std::size_t>(
                             ((oc * s.ic + ic) * s.kh + s.kh - 1 - i) * s.kw + s.kw - 1 - j)];
                     return rotated;
                   });
}

Values minimal_filtering_backward_weights(const Convolution& s, const Values& src, const Values& diff_dst,
                                          Arithmetic arithmetic) {
  const Matrices m(s.kh, arithmetic);
  const std::int64_t tile = m.a.columns;
  std::vector<Matrix> sums(static_cast<std::size_t>(s.oc * s.ic), Matrix(kPoints, kPoints));
  for (std::int64_t n = 0; n < s.n; ++n)
    for (std::int64_t y = 0; y < s.oh(); y += tile)
      for (std::int64_t x = 0; x < s.ow(); x += tile) {
        std::vector<Matrix> v;
        for (std::int64_t ic = 0; ic < s.ic; ++ic)
          v.push_back(both_axes(m.bt, patch(src.data() + (n * s.ic + ic) * s.ih * s.iw, s.ih, s.iw, y - s.ph,
                                            x - s.pw, kPoints)));
        for (std::int64_t oc = 0; oc < s.oc; ++oc) {
          const Matrix d = both_axes(
              m.a, patch(diff_dst.data() + (n * s.oc + oc) * s.oh() * s.ow(), s.oh(), s.ow(), y, x, tile));
          for (std::int64_t ic = 0; ic < s.ic; ++ic)
            multiply_add(d, v[static_cast<std::size_t>(ic)], sums[static_cast<std::size_t>(oc * s.ic + ic)]);
        }
      }
  Values diff;
  for (const Matrix& sum : sums) {
    const Matrix result = both_axes(transposed(m.g), sum);
    diff.insert(diff.end(), result.values.begin(), result.values.end());
  }
  return diff;
}

}  // namespace convoy::reference
