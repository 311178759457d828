#pragma once
// "A convolution layer IS a multilayer perceptron with connections cut and weights shared", in numbers
// (src/CONTRACT.md, "Mathematics"): one image, one kernel, two networks run by the code that trains, and
// the convolutions of the derivation beside them. `convoy explain` prints it; tests hold it against the
// textbook.

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

/// Whether a layer l stands before the convolution, a^l = σ(z^l), or the image is taken as it is.
enum class Below { kImage, kSigmoid };

/// What a network says of one image. Output j is the image's place (j / OW, j % OW).
struct Passes {
  Image z;                      ///< z^{l+1}, OH × OW
  Image delta;                  ///< δ^{l+1} = ∂C/∂z^{l+1} = z − y
  Image delta_below;            ///< δ^l = ∂C/∂z^l, H × W; without a layer l: ∂C/∂a
  Image gradient;               ///< ∂C/∂w(i, j) in the derivation's w, KH × KW
  double bias_gradient = 0;     ///< ∂C/∂b
  std::vector<double> weights;  ///< the layer's own: v (KH·KW) or the perceptron's w_jk (OH·OW × H·W)
  std::vector<double> weights_gradient;  ///< ∂C/∂weights, cut connections of the perceptron included
};

/// The derivation on one example. The cost is C = ½‖y − z^{l+1}‖², y being 1 at `target` and 0 elsewhere.
struct Derivation {
  Image below;   ///< z^l
  Image a;       ///< a^l: σ(z^l), or z^l itself
  Image kernel;  ///< w of the derivation
  Image stored;  ///< v = ROT180(w), what the layer stores
  double bias = 0;
  std::int64_t target = 0;

  Passes perceptron;   ///< a dense layer: cut connections have weight 0, shared ones the same weight
  Passes convolution;  ///< a conv layer

  // The derivation's convolutions, computed by conv layers of their own. Each carries σ'(z^l) where a layer l
  // stands below.
  Image rotated_delta;    ///< (δ^{l+1} * ROT180(w)), full
  Image unrotated_delta;  ///< (δ^{l+1} * w), full: what forgetting the rotation gives
  Image gradient;         ///< (δ^{l+1} * ROT180(a^l))
};

/// Which weight w(i, j) a connection of the perceptron shares; nothing (−1) where it is cut. Index i·KW + j.
[[nodiscard]] std::int64_t shared_weight(const Derivation& d, std::int64_t output, std::int64_t input);

/// Runs both networks in double precision. `kernel` is the derivation's w, no larger than `below`.
[[nodiscard]] Derivation derive(const Image& below, const Image& kernel, double bias, std::int64_t target,
                                Below layer);

/// A small example for pencil and paper: integers −3 … 3 (no kernel of zeros alone), a pure function of the
/// seed.
struct Example {
  Image image;
  Image kernel;
  double bias = 0;
  std::int64_t target = 0;
};
[[nodiscard]] Example draw_example(std::uint64_t seed, std::pair<std::int64_t, std::int64_t> size,
                                   std::pair<std::int64_t, std::int64_t> kernel);

/// Largest |a − b| over two images of one shape.
[[nodiscard]] double largest_difference(const Image& a, const Image& b);

/// How far two of the derivation's answers may lie apart: 0 where all numbers are integers, which doubles
/// hold exactly; else γ·M, γ = k·u for sums of at most k = H·W + OH·OW terms and 8 roundings of the sigmoid
/// and its slope, M = max(1, |a|)·(1 + |b| + Σ|w|)·(1 + Σ|δ|), which no sum of magnitudes in the three passes
/// exceeds.
[[nodiscard]] double equality_tolerance(const Derivation& d);

}  // namespace convoy::check
