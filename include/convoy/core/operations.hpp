#pragma once
// Shapes and options of the operations of layers (kernels/kernels.hpp has the operations).
//
// Legend: n samples, c channels, h × w image; i.. input (src), o.. output (dst); kh × kw kernel, s.. stride,
// p.. padding, d.. dilation.

#include <cstdint>

namespace convoy {

/// Operand precision of convolutions. Accumulation and everything else use Real. Ignored by the double
/// kernels.
enum class Precision {
  kFloat32,
  kBfloat16,  ///< rounded to nearest, ties to even; products are then exact, and two are added per step
};

/// A convolution over one micro-batch. A dense layer is the case ih = iw = kh = kw = 1.
struct Conv2dShape {
  std::int64_t blocks = 1;  ///< lane blocks
  std::int64_t ic = 1, ih = 1, iw = 1;
  std::int64_t oc = 1, oh = 1, ow = 1;  ///< oh = ⌊(ih + 2·ph − dh·(kh − 1) − 1)/sh⌋ + 1, ow likewise
  std::int64_t kh = 1, kw = 1;
  std::int64_t sh = 1, sw = 1;
  std::int64_t ph = 0, pw = 0;
  std::int64_t dh = 1, dw = 1;  ///< dilation: distance of neighbouring taps
  std::int64_t groups = 1;      ///< divides ic and oc; output channels read the input channels of their group
  Precision precision = Precision::kFloat32;
};

/// A pooling window over each channel's image.
struct Pool2dShape {
  std::int64_t blocks = 1;
  std::int64_t c = 1, ih = 1, iw = 1;
  std::int64_t oh = 1, ow = 1;
  std::int64_t kh = 2, kw = 2;
  std::int64_t sh = 2, sw = 2;
  std::int64_t ph = 0, pw = 0;  ///< at most half the window, as in PyTorch
};

/// Batch normalisation over one micro-batch: statistics per channel over its `samples`·spatial elements.
struct BatchNormShape {
  std::int64_t blocks = 1;
  std::int64_t samples = 1;  ///< real samples; the other lanes are idle
  std::int64_t c = 1;
  std::int64_t spatial = 1;  ///< h·w
  double epsilon = 1e-5;
};

/// Group normalisation of each sample: statistics of c/groups channels, spatial pixels each.
struct GroupNormShape {
  std::int64_t blocks = 1;
  std::int64_t c = 1;
  std::int64_t spatial = 1;  ///< h·w
  std::int64_t groups = 1;   ///< divides c
  double epsilon = 1e-5;
};

/// Elementwise functions (lanes/activation.hpp). NaN stays NaN.
enum class ActivationKind {
  kNone,     ///< x
  kRelu,     ///< max(x, 0)
  kSigmoid,  ///< 1/(1 + e^−x)
  kTanh,
  kLeakyRelu,    ///< x above 0, else slope·x; slope ≥ 0
  kRelu6,        ///< min(max(x, 0), 6)
  kElu,          ///< x above 0, else slope·(e^x − 1); slope > 0
  kHardSigmoid,  ///< min(max(x/6 + ½, 0), 1)
  // Not monotonic, so that the derivative needs the input:
  kGelu,       ///< x·Φ(x), Φ the distribution function of the normal distribution
  kSwish,      ///< x/(1 + e^−x)
  kHardSwish,  ///< x·min(max(x + 3, 0), 6)/6
};

/// True if the derivative is computed from the input, not from the output.
[[nodiscard]] constexpr bool derivative_reads_input(ActivationKind kind) {
  return kind >= ActivationKind::kGelu;
}

/// An elementwise function with its parameter.
struct Activation {
  ActivationKind kind = ActivationKind::kNone;
  float slope = 0;  ///< of kLeakyRelu and kElu (there called α)
  [[nodiscard]] bool is_none() const { return kind == ActivationKind::kNone; }
};

/// Applied to an operation's result before the store: dst = activation(result + addend); both parts optional.
template <class Real>
struct Epilogue {
  const Real* addend = nullptr;  ///< same shape as dst, may be dst; null: no addition
  Activation activation{};       ///< one whose derivative is computed from the output
};

/// Whether a result replaces the old content of its memory or is added to it.
enum class Update { kAssign, kAdd };

/// Algorithm of a convolution pass; depends on the instruction set and the shape.
enum class ConvAlgorithm {
  kDirect,
  kMinimalFiltering,  ///< Winograd: F(4×4, 3×3) or F(2×2, 5×5), see convolution/winograd.hpp
  kMatrixProduct,     ///< backward weights tap by tap, see convolution/weights_channels.hpp
};
struct ConvAlgorithms {
  ConvAlgorithm forward, backward_data, backward_weights;
};

}  // namespace convoy
