#pragma once
// The operations of layers: plain functions over plain memory, compiled once per instruction set.
//
// Legend and shapes: core/operations.hpp. Images lie in lane blocks, [B][C][H][W][16] (core/layout.hpp), B =
// shape.blocks. Weights are the logical tensors [OC][IC][KH][KW].
//
// All threads of a team call each function with the same arguments. A function has no barrier at its start
// and one at its end: on return the whole result is visible to every thread of the team. (If one thread wrote
// the input, the caller adds a barrier before the call.) Results are assigned, never accumulated, unless a
// line says so. Each element is computed by one thread, in an order of operations that depends only on the
// shape and the instruction set. Nothing allocates, throws or calls a virtual function. Buffers are aligned
// to 64 bytes (weights, bias and their diffs to an element) and do not overlap unless a line allows it.
//
// `Real` is float for training. double exists only in the portable set, for gradient checks; both use the
// same source, so the checks cover the training code.

#include <cstdint>

#include "convoy/core/layout.hpp"
#include "convoy/core/operations.hpp"
#include "convoy/core/team.hpp"
#include "convoy/kernels/isa.hpp"

namespace convoy::kernels {

/// Number of products of one sample in one pass, without products with padding, at most 2⁵² (a sum over
/// layers then does not overflow). Equal for forward, backward data and backward weights.
[[nodiscard]] std::int64_t conv2d_multiplications(const Conv2dShape& shape);

/// Decisions of an instruction set before the computation.
struct Planner {
  ConvAlgorithms (*conv2d_algorithms)(const Conv2dShape& shape);
  /// Scratch elements that conv2d_* may use for up to shape.blocks blocks in a team of up to `threads`; may
  /// be 0.
  std::int64_t (*conv2d_scratch_size)(const Conv2dShape& shape, int threads);
};

/// The functions of one instruction set.
template <class Real>
struct KernelTable {
  Isa isa;
  Planner planner;

  /// Prepares the calling thread. Each thread calls it on entry to a parallel region, before the functions
  /// below. Cheap, may be called again, no barrier. No-op in all present sets.
  void (*enter_thread)();

  /// dst[oc,oy,ox] = bias[oc] + Σ_{ic,ky,kx} src[ic, oy·sh−ph+ky·dh, ox·sw−pw+kx·dw] · weights[oc,ic,ky,kx].
  /// Weights are [oc][ic/groups][kh][kw]: with groups, the sum is over the input channels of oc's group, and
  /// the others below likewise. The direct sum runs in the order ic, ky, kx, or ky, kx, ic if dst is narrow
  /// (convolution/plan.hpp), starting from the bias (0 if bias is null), with or without products of zeros on
  /// padding; minimal filtering has its own order. Then the epilogue.
  void (*conv2d_forward)(const Conv2dShape& shape, const Real* src, const Real* weights, const Real* bias,
                         const Epilogue<Real>& epilogue, Real* dst, Real* scratch, const Team& team);
  /// diff_src[ic,iy,ix] (+)= Σ diff_dst[oc,oy,ox] · weights[oc,ic,ky,kx] over oy·sh = iy+ph−ky·dh, ox·sw =
  /// ix+pw−kx·dw.
  void (*conv2d_backward_data)(const Conv2dShape& shape, const Real* diff_dst, const Real* weights,
                               Update update, Real* diff_src, Real* scratch, const Team& team);
  /// diff_weights[oc,ic,ky,kx] (+)= Σ_{n,oy,ox} diff_dst[n,oc,oy,ox] ·
  /// src[n,ic,oy·sh−ph+ky·dh,ox·sw−pw+kx·dw]; diff_bias[oc] (+)= Σ_{n,oy,ox} diff_dst[n,oc,oy,ox] (null: not
  /// wanted). With kAdd the complete sums are added to the old values.
  void (*conv2d_backward_weights)(const Conv2dShape& shape, const Real* src, const Real* diff_dst,
                                  Update update, Real* diff_weights, Real* diff_bias, Real* scratch,
                                  const Team& team);

  /// dst = the window's largest element (NaN if the window contains one); which[o] = its index ky·kw+kx, the
  /// first of equals.
  void (*maxpool_forward)(const Pool2dShape& shape, const Real* src, Real* dst, std::int32_t* which,
                          const Team& team);
  /// diff_src = Σ of the diffs of the windows whose maximum is this element.
  void (*maxpool_backward)(const Pool2dShape& shape, const Real* diff_dst, const std::int32_t* which,
                           Real* diff_src, const Team& team);
  /// dst = the window's mean over kh·kw elements; padding counts as zeros (PyTorch's count_include_pad).
  void (*avgpool_forward)(const Pool2dShape& shape, const Real* src, Real* dst, const Team& team);
  void (*avgpool_backward)(const Pool2dShape& shape, const Real* diff_dst, Real* diff_src, const Team& team);

  /// Training: mean[c], variance[c] (population) of the micro-batch; dst = (src − mean)/√(variance +
  /// ε)·weight + bias, then the epilogue. Here and below `weight` may be null: 1, and diff_weight then null
  /// too.
  void (*batchnorm_forward)(const BatchNormShape& shape, const Real* src, const Real* weight,
                            const Real* bias, const Epilogue<Real>& epilogue, Real* dst, Real* mean,
                            Real* variance, const Team& team);
  /// Evaluation: the same formula with the given mean and variance.
  void (*batchnorm_inference)(const BatchNormShape& shape, const Real* src, const Real* weight,
                              const Real* bias, const Real* mean, const Real* variance,
                              const Epilogue<Real>& epilogue, Real* dst, const Team& team);
  /// With x̂ the normalised input and m = samples·spatial: diff_weight = Σ diff_dst·x̂, diff_bias = Σ diff_dst,
  /// diff_src = weight/√(variance + ε)·(diff_dst − diff_bias/m − x̂·diff_weight/m); idle lanes get 0.
  /// `activation` is the activation of forward's epilogue, `dst` the output of forward (not read without an
  /// activation): diff_dst is first multiplied in place by the activation's derivative. diff_src may be null:
  /// not wanted.
  void (*batchnorm_backward)(const BatchNormShape& shape, const Real* src, const Activation& activation,
                             const Real* dst, Real* diff_dst, const Real* weight, const Real* mean,
                             const Real* variance, Real* diff_src, Real* diff_weight, Real* diff_bias,
                             const Team& team);

  /// mean[block,group,lane] and inverse = 1/√(variance + ε) (population) of each sample's groups of channels;
  /// dst = (src − mean)·inverse·weight[c] + bias[c] (both null: 1 and 0), then the epilogue.
  void (*groupnorm_forward)(const GroupNormShape& shape, const Real* src, const Real* weight,
                            const Real* bias, const Epilogue<Real>& epilogue, Real* dst, Real* mean,
                            Real* inverse, const Team& team);
  /// With x̂ the normalised input and m the elements of a group: diff_weight = Σ diff_dst·x̂, diff_bias = Σ
  /// diff_dst, diff_src = inverse·(w·diff_dst − Σ_group w·diff_dst/m − x̂·Σ_group w·diff_dst·x̂/m). diff_src,
  /// or diff_weight and diff_bias together, may be null: not wanted. Idle lanes of diff_dst are 0.
  void (*groupnorm_backward)(const GroupNormShape& shape, const Real* src, const Real* diff_dst,
                             const Real* weight, const Real* mean, const Real* inverse, Real* diff_src,
                             Real* diff_weight, Real* diff_bias, const Team& team);

  // Elementwise over `size` numbers (a multiple of 16); dst may be src, diff_src may be diff_dst.
  /// dst = activation(src).
  void (*activation_forward)(const Activation& activation, std::int64_t size, const Real* src, Real* dst,
                             const Team& team);
  /// diff_src = diff_dst · derivative, computed from `values`: dst, or src (derivative_reads_input()).
  void (*activation_backward)(const Activation& activation, std::int64_t size, const Real* values,
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
  /// left += right: one inner node of the reduction tree, one rounding per element.
  void (*accumulate)(std::int64_t size, Real* left, const Real* right, const Team& team);
  /// values /= divisor.
  void (*divide)(std::int64_t size, Real* values, Real divisor, const Team& team);

  // Peak rates of a core and its memory, only for `convoy bench`. One thread calls; no barrier.
  /// Repeats x ← x·factor + term `rounds` times in every element of a fixed set of registers, which is large
  /// enough to keep all multiply-add units busy. Assigns *result the sum of all x; returns the number of
  /// multiply-adds, counted per element.
  std::int64_t (*multiply_add_chains)(std::int64_t rounds, Real factor, Real term, Real* result);
  /// dst = a + factor·b over `size` numbers (a multiple of 16): STREAM's triad (McCalpin 1995).
  void (*triad)(std::int64_t size, const Real* a, const Real* b, Real factor, Real* dst);
};

/// The float kernels of `isa`. The machine must support `isa`.
[[nodiscard]] const KernelTable<float>& float_kernels(Isa isa);
/// The double kernels (portable set).
[[nodiscard]] const KernelTable<double>& double_kernels();

}  // namespace convoy::kernels
