#pragma once
// What conv2d_backward_weights keeps in scratch, decided by the shape alone: shared by the function that
// tells callers how much they need and the kernels that use it. Internal linkage, see lanes/simd.hpp.

#include <cstdint>

#include "convoy/core/layout.hpp"
#include "convoy/kernels/kernels.hpp"

namespace convoy::kernels {
namespace {

/// One output point that sees the whole picture: a dense layer in all but name.
[[gnu::always_inline]] inline bool is_dense(const Conv2dShape& s) {
  return s.oh == 1 && s.ow == 1 && s.kh == s.ih && s.kw == s.iw && s.ph == 0 && s.pw == 0;
}

/// Dense: src transposed, [⌈ic·ih·iw/16⌉][16·blocks samples][16 inputs].
[[gnu::always_inline]] inline std::int64_t transposed_size(const Conv2dShape& s) {
  return (s.ic * s.ih * s.iw + kLanes - 1) / kLanes * kLanes * kLanes * s.blocks;
}

[[gnu::always_inline]] inline bool is_padded(const Conv2dShape& s) {
  return s.ph > 0 || s.pw > 0;
}

/// Padded: src within zeros, [blocks][ic][ih + 2·ph][iw + 2·pw][16].
[[gnu::always_inline]] inline std::int64_t padded_size(const Conv2dShape& s) {
  return s.blocks * s.ic * (s.ih + 2 * s.ph) * (s.iw + 2 * s.pw) * kLanes;
}

}  // namespace
}  // namespace convoy::kernels
