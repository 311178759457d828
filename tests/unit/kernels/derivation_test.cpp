// The convolution layer equals the derivation: stored filters are ROT180(w), and the textbook layer equals
// the derivation's true convolutions and the perceptron's sums.

#include "reference/derivation.hpp"

#include "reference/perceptron.hpp"
#include "unit/kernels/conv_case.hpp"

namespace convoy::kernels {
namespace {

using reference::Convolution;
using reference::Matrix;

class Derivation : public Kernels {};
CONVOY_FOR_ALL_KERNEL_SETS(Derivation);

/// One channel, one image; v = ROT180(w), so w = ROT180(v).
struct OneImage {
  ConvCase c;
  Matrix a, w, delta;
};

OneImage one_image(unsigned seed) {
  Numbers numbers(seed);
  Convolution shape;
  shape.kh = numbers.integer(1, 4);
  shape.kw = numbers.integer(1, 4);
  shape.ih = shape.kh + numbers.integer(0, 5);
  shape.iw = shape.kw + numbers.integer(0, 5);
  OneImage p{make_conv_case(shape, false, seed), {}, {}, {}};
  p.a = Matrix(shape.ih, shape.iw, p.c.src);
  p.w = reference::rot180(Matrix(shape.kh, shape.kw, p.c.weights));
  p.delta = Matrix(shape.oh(), shape.ow(), p.c.diff_dst);
  return p;
}

std::vector<double> absolute(const Matrix& m) {
  return magnitudes(m.values);
}
Matrix absolute_matrix(const Matrix& m) {
  return Matrix(m.rows, m.columns, absolute(m));
}

TEST_P(Derivation, FeedForwardIsTheValidConvolutionWithW) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    for (unsigned seed = 0; seed < 20; ++seed) {
      const OneImage p = one_image(seed);
      const auto got = run_conv(table, p.c, 1);
      expect_within<Real>(test::from_lanes(got.dst.data(), 1, p.c.shape.dst_size()),
                          reference::convolve_valid(p.a, p.w).values,
                          reference::convolve_valid(absolute_matrix(p.a), absolute_matrix(p.w)).values,
                          p.c.shape.weights_size(), "z");
    }
  });
}

TEST_P(Derivation, BackpropagatedErrorIsTheFullConvolutionWithRotatedW) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    for (unsigned seed = 0; seed < 20; ++seed) {
      const OneImage p = one_image(seed);
      const Matrix rotated = reference::rot180(p.w);
      const auto got = run_conv(table, p.c, 1);
      expect_within<Real>(test::from_lanes(got.diff_src.data(), 1, p.c.shape.src_size()),
                          reference::convolve_full(p.delta, rotated).values,
                          reference::convolve_full(absolute_matrix(p.delta), absolute_matrix(rotated)).values,
                          p.c.shape.weights_size(), "delta");
    }
  });
}

// ∂C/∂w(i,j) = Σ δ(x,y)·a(x−i, y−j): the correlation of a with δ is the gradient of v; its rotation is the
// gradient of w.
TEST_P(Derivation, GradientOfTheStoredFilterIsTheRotatedGradientOfW) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    for (unsigned seed = 0; seed < 20; ++seed) {
      const OneImage p = one_image(seed);
      Matrix gradient(p.w.rows, p.w.columns);
      Matrix bound(p.w.rows, p.w.columns);
      for (std::int64_t i = 0; i < gradient.rows; ++i)
        for (std::int64_t j = 0; j < gradient.columns; ++j)
          for (std::int64_t x = 0; x < p.delta.rows; ++x)
            for (std::int64_t y = 0; y < p.delta.columns; ++y) {
              // δ(0, 0) is at the first position with all terms of the convolution.
              const double term = p.delta(x, y) * p.a(x + p.w.rows - 1 - i, y + p.w.columns - 1 - j);
              gradient(i, j) += term;
              bound(i, j) += std::fabs(term);
            }
      const auto got = run_conv(table, p.c, 1);
      expect_within<Real>(to_double(got.diff_weights), reference::rot180(gradient).values,
                          reference::rot180(bound).values, kLanes * p.delta.rows * p.delta.columns,
                          "gradient");
    }
  });
}

TEST_P(Derivation, DenseLayerIsThePerceptron) {
  with_table([]<class Real>(const KernelTable<Real>& table) {
    const Convolution shape = {.n = 1, .ic = 30, .ih = 1, .iw = 1, .oc = 7};
    const ConvCase c = make_conv_case(shape, true, 3);
    const auto got = run_conv(table, c, 1);
    const auto w = magnitudes(c.weights);
    const auto a = magnitudes(c.src);
    const auto delta = magnitudes(c.diff_dst);
    expect_within<Real>(test::from_lanes(got.dst.data(), 1, 7),
                        reference::perceptron_forward(c.weights, c.src, c.bias, 7),
                        reference::perceptron_forward(w, a, magnitudes(c.bias), 7), 31, "z");
    expect_within<Real>(test::from_lanes(got.diff_src.data(), 1, 30),
                        reference::perceptron_backward(c.weights, c.diff_dst, 30),
                        reference::perceptron_backward(w, delta, 30), 7, "delta");
    expect_within<Real>(to_double(got.diff_weights), reference::perceptron_gradient(c.src, c.diff_dst),
                        reference::perceptron_gradient(a, delta), kLanes, "gradient");
    EXPECT_EQ(to_double(got.diff_bias), c.diff_dst);
  });
}

}  // namespace
}  // namespace convoy::kernels
