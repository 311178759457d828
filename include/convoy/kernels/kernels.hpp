#pragma once
// The operations a layer is made of, as plain functions over plain memory, compiled once per instruction set.
//
// Legend: n samples, c channels, h × w image; i.. input (src), o.. output (dst); kh × kw kernel, s..
// stride, p.. padding. Images lie in lane blocks, [B][C][H][W][16] (core/layout.hpp), B = shape.blocks.
// Weights are the logical tensors [OC][IC][KH][KW].
//
// Every function is called by all threads of a team with the same arguments. It begins no barrier and ends
// with one: on return the whole result is visible to every thread of the team. (Callers that hand over what
// one of them wrote put a barrier of their own before.) Results are assigned, never accumulated, unless a
// line says so. Each element is computed by one thread, in an order of operations that depends on the shape
// and the instruction set alone. Nothing allocates, throws or calls a virtual function. Buffers are aligned
// to 64 bytes (weights, bias and their diffs to an element) and do not overlap unless a line allows it.
//
// `Real` is float for training; double exists for the portable set alone and serves gradient checks: the same
// source, so that what is checked is what trains.

#include <cstdint>

#include "convoy/core/layout.hpp"
#include "convoy/core/team.hpp"
#include "convoy/kernels/isa.hpp"

namespace convoy::kernels {

/// Of the factors of products in convolutions; their sums, and everything else, are always Real. Double
/// kernels take no notice.
enum class Precision {
  kFloat32,
  kBfloat16,  ///< rounded to nearest, ties to even; products are then exact, two are added a step
};

/// A convolution over one micro-batch. A dense layer is the case ih = iw = kh = kw = 1.
struct Conv2dShape {
  std::int64_t blocks = 1;  ///< lane blocks
  std::int64_t ic = 1, ih = 1, iw = 1;
  std::int64_t oc = 1, oh = 1, ow = 1;  ///< oh = ⌊(ih + 2·ph − kh)/sh⌋ + 1, ow likewise
  std::int64_t kh = 1, kw = 1;
  std::int64_t sh = 1, sw = 1;
  std::int64_t ph = 0, pw = 0;
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
  std::int64_t samples = 1;  ///< real samples; the lanes beyond them are idle
  std::int64_t c = 1;
  std::int64_t spatial = 1;  ///< h·w
  double epsilon = 1e-5;
};

/// Functions of one element (lanes/activation.hpp).
enum class ActivationKind {
  kNone,     ///< x
  kRelu,     ///< max(x, 0); NaN stays
  kSigmoid,  ///< 1/(1 + e^−x)
  kTanh,
};

/// A function of one element with its parameter.
struct Activation {
  ActivationKind kind = ActivationKind::kNone;
  float slope = 0;  ///< over negative numbers, of kinds that have one there: none of these
  [[nodiscard]] bool is_none() const { return kind == ActivationKind::kNone; }
};

/// What is done to an operation's result on its way to memory: dst = activation(result + addend), as far as
/// wanted.
template <class Real>
struct Epilogue {
  const Real* addend = nullptr;  ///< like dst, and may be dst; null: nothing is added
  Activation activation{};
};

/// Whether a result replaces what its memory holds or is added to it.
enum class Update { kAssign, kAdd };

/// How a pass of a convolution is computed; follows from the instruction set and the shape.
enum class ConvAlgorithm {
  kDirect,
  kMinimalFiltering,  ///< Winograd: F(4×4, 3×3) or F(2×2, 5×5), see lanes/winograd.hpp
  kMatrixProduct,     ///< backward weights tap by tap, see lanes/conv_weights_channels.hpp
};
struct ConvAlgorithms {
  ConvAlgorithm forward, backward_data, backward_weights;
};

/// Products of one sample in one pass (forward, backward data or backward weights: the same ones), those with
/// padding left out.
[[nodiscard]] std::int64_t conv2d_multiplications(const Conv2dShape& shape);

/// What an instruction set decides before it computes.
struct Planner {
  ConvAlgorithms (*conv2d_algorithms)(const Conv2dShape& shape);
  /// Scratch elements conv2d_* may use for up to shape.blocks blocks in a team of up to `threads`; 0 is
  /// possible.
  std::int64_t (*conv2d_scratch_size)(const Conv2dShape& shape, int threads);
};

/// The functions of one instruction set.
template <class Real>
struct KernelTable {
  Isa isa;
  Planner planner;

  /// Prepares the calling thread; each thread calls it when it enters a parallel region to compute, before
  /// the functions below. Cheap, may be called again, and no barrier. Does nothing in the sets there are
  /// today.
  void (*enter_thread)();

  /// dst[oc,oy,ox] = bias[oc] + Σ_{ic,ky,kx} src[ic, oy·sh−ph+ky, ox·sw−pw+kx] · weights[oc,ic,ky,kx].
  /// The direct sum runs in the order ic, ky, kx, or ky, kx, ic where dst is narrow (conv_plan.hpp), starting
  /// from the bias (0 where bias is null); where minimal filtering is used, in its order. Then the epilogue.
  void (*conv2d_forward)(const Conv2dShape& shape, const Real* src, const Real* weights, const Real* bias,
                         const Epilogue<Real>& epilogue, Real* dst, Real* scratch, const Team& team);
  /// diff_src[ic,iy,ix] (+)= Σ diff_dst[oc,oy,ox] · weights[oc,ic,ky,kx] over oy·sh = iy+ph−ky, ox·sw =
  /// ix+pw−kx.
  void (*conv2d_backward_data)(const Conv2dShape& shape, const Real* diff_dst, const Real* weights,
                               Update update, Real* diff_src, Real* scratch, const Team& team);
  /// diff_weights[oc,ic,ky,kx] (+)= Σ_{n,oy,ox} diff_dst[n,oc,oy,ox] · src[n,ic,oy·sh−ph+ky,ox·sw−pw+kx];
  /// diff_bias[oc] (+)= Σ_{n,oy,ox} diff_dst[n,oc,oy,ox] (null: not wanted). The sums are complete before
  /// they are added to what is there.
  void (*conv2d_backward_weights)(const Conv2dShape& shape, const Real* src, const Real* diff_dst,
                                  Update update, Real* diff_weights, Real* diff_bias, Real* scratch,
                                  const Team& team);

  /// dst = the window's largest element (NaN if it holds one); which[o] = its index ky·kw+kx, the first of
  /// equals.
  void (*maxpool_forward)(const Pool2dShape& shape, const Real* src, Real* dst, std::int32_t* which,
                          const Team& team);
  /// diff_src = the diffs of the windows an element won.
  void (*maxpool_backward)(const Pool2dShape& shape, const Real* diff_dst, const std::int32_t* which,
                           Real* diff_src, const Team& team);
  /// dst = the window's mean over kh·kw elements; padding counts as zeros (PyTorch's count_include_pad).
  void (*avgpool_forward)(const Pool2dShape& shape, const Real* src, Real* dst, const Team& team);
  void (*avgpool_backward)(const Pool2dShape& shape, const Real* diff_dst, Real* diff_src, const Team& team);

  /// Training: mean[c], variance[c] (population) of the micro-batch; dst = (src − mean)/√(variance +
  /// ε)·weight + bias, then the epilogue.
  void (*batchnorm_forward)(const BatchNormShape& shape, const Real* src, const Real* weight,
                            const Real* bias, const Epilogue<Real>& epilogue, Real* dst, Real* mean,
                            Real* variance, const Team& team);
  /// Evaluation: the same formula with mean and variance given.
  void (*batchnorm_inference)(const BatchNormShape& shape, const Real* src, const Real* weight,
                              const Real* bias, const Real* mean, const Real* variance,
                              const Epilogue<Real>& epilogue, Real* dst, const Team& team);
  /// With x̂ the normalised input and m = samples·spatial: diff_weight = Σ diff_dst·x̂, diff_bias = Σ diff_dst,
  /// diff_src = weight/√(variance + ε)·(diff_dst − diff_bias/m − x̂·diff_weight/m); idle lanes get 0.
  /// `activation` is that of forward's epilogue, and `dst` what forward assigned (not read if there is no
  /// activation): diff_dst is first multiplied by its derivative, in place. diff_src may be null: not wanted.
  void (*batchnorm_backward)(const BatchNormShape& shape, const Real* src, const Activation& activation,
                             const Real* dst, Real* diff_dst, const Real* weight, const Real* mean,
                             const Real* variance, Real* diff_src, Real* diff_weight, Real* diff_bias,
                             const Team& team);

  // Element by element over `size` numbers (a multiple of 16); dst may be src, diff_src may be diff_dst.
  /// dst = activation(src).
  void (*activation_forward)(const Activation& activation, std::int64_t size, const Real* src, Real* dst,
                             const Team& team);
  /// diff_src = diff_dst · the derivative, computed from dst.
  void (*activation_backward)(const Activation& activation, std::int64_t size, const Real* dst,
                              const Real* diff_dst, Real* diff_src, const Team& team);
  /// dst = a + b; dst may be a or b.
  void (*add)(std::int64_t size, const Real* a, const Real* b, Real* dst, const Team& team);
  /// dst = a · b; dst may be a or b. (Dropout: b is the mask, 0 or 1/(1 − rate).)
  void (*multiply)(std::int64_t size, const Real* a, const Real* b, Real* dst, const Team& team);

  /// Softmax over the c features of each sample, [blocks][c][16]: dst = e^(src − max) / Σ.
  void (*softmax_forward)(std::int64_t blocks, std::int64_t c, const Real* src, Real* dst, const Team& team);
  /// diff_src = dst·(diff_dst − Σ_c diff_dst·dst).
  void (*softmax_backward)(std::int64_t blocks, std::int64_t c, const Real* dst, const Real* diff_dst,
                           Real* diff_src, const Team& team);

  // On flat vectors of any size and alignment (parameters, gradients).
  /// left += right: one inner node of the reduction tree, one rounding an element.
  void (*accumulate)(std::int64_t size, Real* left, const Real* right, const Team& team);
  /// values /= divisor.
  void (*divide)(std::int64_t size, Real* values, Real divisor, const Team& team);

  // What a core and its memory can do at most, for `convoy bench` alone. One thread calls; no barrier.
  /// `rounds` times x ← x·factor + term in every element of a fixed set of registers, enough of them that
  /// each multiply-add unit always has one to work on. Assigns *result the sum of all x; returns the number
  /// of multiply-adds, counted by element.
  std::int64_t (*multiply_add_chains)(std::int64_t rounds, Real factor, Real term, Real* result);
  /// dst = a + factor·b over `size` numbers (a multiple of 16): STREAM's triad (McCalpin 1995).
  void (*triad)(std::int64_t size, const Real* a, const Real* b, Real factor, Real* dst);
};

/// The float kernels of `isa`, which the machine must support.
[[nodiscard]] const KernelTable<float>& float_kernels(Isa isa);
/// The double kernels (portable set).
[[nodiscard]] const KernelTable<double>& double_kernels();

}  // namespace convoy::kernels
