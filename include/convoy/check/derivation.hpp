#pragma once
// "A convolution layer IS a multilayer perceptron with connections cut and weights shared", as a numeric
// example (src/CONTRACT.md, "Mathematics"): one image, one kernel, two networks run by the training code, and
// the convolutions of the derivation. `convoy explain` prints it; tests compare it with the textbook.

#include <cstdint>
#include <utility>
#include <vector>

namespace convoy::check {

/// Rows × columns of numbers, row by row.
struct Image {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<double> values;

  [[nodiscard]] double at(std::int64_t row, std::int64_t column) const {
    return values[static_cast<std::size_t>(row * columns + column)];
  }
};

/// ROT180(p)(i, j) = p(rows−1−i, columns−1−j).
[[nodiscard]] Image rotated(const Image& p);

/// Input of the convolution: the image itself, or a layer l with a^l = σ(z^l).
enum class Below { kImage, kSigmoid };

/// Results of a network for one image. Output j is at position (j / OW, j % OW).
struct Passes {
  Image z;                      ///< z^{l+1}, OH × OW
  Image delta;                  ///< δ^{l+1} = ∂C/∂z^{l+1} = z − y
  Image delta_below;            ///< δ^l = ∂C/∂z^l, H × W; without a layer l: ∂C/∂a
  Image gradient;               ///< ∂C/∂w(i, j) in the derivation's w, KH × KW
  double bias_gradient = 0;     ///< ∂C/∂b
  std::vector<double> weights;  ///< of the layer: v (KH·KW), or the perceptron's w_jk (OH·OW × H·W)
  std::vector<double> weights_gradient;  ///< ∂C/∂weights, cut connections of the perceptron included
};

/// The derivation for one example. The cost is C = ½‖y − z^{l+1}‖², with y = 1 at `target`, else 0.
struct Derivation {
  Image below;   ///< z^l
  Image a;       ///< a^l: σ(z^l), or z^l itself
  Image kernel;  ///< w of the derivation
  Image stored;  ///< v = ROT180(w), the layer's weights
  double bias = 0;
  std::int64_t target = 0;

  Passes perceptron;   ///< a dense layer: cut connections have weight 0, shared connections equal weights
  Passes convolution;  ///< a conv layer

  // The derivation's convolutions, computed by separate conv layers. Each includes the factor σ'(z^l) if
  // there is a layer l.
  Image rotated_delta;    ///< (δ^{l+1} * ROT180(w)), full
  Image unrotated_delta;  ///< (δ^{l+1} * w), full: the wrong result without the rotation
  Image gradient;         ///< (δ^{l+1} * ROT180(a^l))
};

/// Index i·KW + j of the weight w(i, j) that a connection of the perceptron shares; −1 if the connection is
/// cut.
[[nodiscard]] std::int64_t shared_weight(const Derivation& d, std::int64_t output, std::int64_t input);

/// Runs both networks in double precision. `kernel` is the derivation's w, at most as large as `below`.
[[nodiscard]] Derivation derive(const Image& below, const Image& kernel, double bias, std::int64_t target,
                                Below layer);

/// A small example for calculation by hand: integers −3 … 3 (the kernel is not all zero), a pure function of
/// the seed.
struct Example {
  Image image;
  Image kernel;
  double bias = 0;
  std::int64_t target = 0;
};
[[nodiscard]] Example draw_example(std::uint64_t seed, std::pair<std::int64_t, std::int64_t> size,
                                   std::pair<std::int64_t, std::int64_t> kernel);

/// Largest |a − b| over two images of equal shape.
[[nodiscard]] double largest_difference(const Image& a, const Image& b);

/// Largest allowed difference between two results of the derivation: 0 if all numbers are integers (exact in
/// double); else γ·M, γ = k·u for sums of at most k = H·W + OH·OW terms and 8 roundings of the sigmoid and
/// its slope, and M = max(1, |a|)·(1 + |b| + Σ|w|)·(1 + Σ|δ|), an upper bound of all sums of magnitudes in
/// the three passes.
[[nodiscard]] double equality_tolerance(const Derivation& d);

}  // namespace convoy::check
