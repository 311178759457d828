#pragma once
// A kernel or pooling window that slides over a picture: size, stride, padding. Shared by conv and the pools.

#include <cstdint>
#include <optional>
#include <string_view>

#include "convoy/core/shape.hpp"
#include "convoy/nn/attributes.hpp"
#include "convoy/nn/layer_line.hpp"

namespace convoy::nn {

struct Window {
  std::int64_t kh = 1, kw = 1;
  std::int64_t sh = 1, sw = 1;
  std::int64_t ph = 0, pw = 0;

  /// Picture after the window has slid over `input`: ⌊(H + 2p − K)/s⌋ + 1 each way.
  [[nodiscard]] Shape output(const Shape& input, std::int64_t channels) const;
  /// Writes window and pictures into a kernel's shape (kernels::Conv2dShape, Pool2dShape).
  template <class KernelShape>
  void fill(KernelShape& shape, const Shape& input, const Shape& output) const {
    shape.ih = input.h;
    shape.iw = input.w;
    shape.oh = output.h;
    shape.ow = output.w;
    shape.kh = kh;
    shape.kw = kw;
    shape.sh = sh;
    shape.sw = sw;
    shape.ph = ph;
    shape.pw = pw;
  }
  /// Its size under the name `size`, then stride and pad.
  void visit(AttributeVisitor& visitor, std::string_view size, const HeightWidth& default_stride) const;
  /// Fails the line where the window is larger than the padded picture.
  void check(const LayerLine& line, const Shape& input) const;
};

/// Takes "KHxKW" and the options stride and pad. Without `default_stride` the stride is the window.
[[nodiscard]] Window take_window(LayerLine& line, const char* what,
                                 const std::optional<HeightWidth>& default_stride);

}  // namespace convoy::nn
