#pragma once
// A kernel or pooling window that slides over an image: size, stride, padding, dilation. Shared by conv and
// the pools.

#include <cstdint>
#include <string_view>

#include "convoy/core/shape.hpp"
#include "convoy/layers/attributes.hpp"
#include "convoy/layers/layer_line.hpp"

namespace convoy::nn {

class Window {
 public:
  /// Throws LayerError if a number is out of range or the window is larger than the padded image.
  Window(const HeightWidth& size, const HeightWidth& stride, const HeightWidth& pad, const Shape& input,
         const HeightWidth& dilation = {1, 1});

  /// The window of the whole `input`.
  [[nodiscard]] static Window whole(const Shape& input) { return Window({input.h, input.w}); }

  [[nodiscard]] const HeightWidth& size() const { return size_; }
  [[nodiscard]] const HeightWidth& dilation() const { return dilation_; }
  /// Output shape for `input`: ⌊(H + 2p − d·(K − 1) − 1)/s⌋ + 1 along each axis.
  [[nodiscard]] Shape output(const Shape& input, std::int64_t channels) const;
  /// Sets window and images in a kernel's shape (Conv2dShape, Pool2dShape).
  template <class KernelShape>
  void fill(KernelShape& shape, const Shape& input, const Shape& output) const {
    shape.ih = input.h;
    shape.iw = input.w;
    shape.oh = output.h;
    shape.ow = output.w;
    shape.kh = size_.h;
    shape.kw = size_.w;
    shape.sh = stride_.h;
    shape.sw = stride_.w;
    shape.ph = pad_.h;
    shape.pw = pad_.w;
  }
  /// Passes the window's size under the name `size`, then stride and pad.
  void visit(AttributeVisitor& visitor, std::string_view size, const HeightWidth& default_stride) const;

 private:
  explicit Window(const HeightWidth& size) : size_(size) {}

  HeightWidth size_;
  HeightWidth stride_{1, 1};
  HeightWidth pad_{0, 0};
  HeightWidth dilation_{1, 1};
};

/// Take the value "KHxKW" and the options stride, pad and dilation of a line.
[[nodiscard]] HeightWidth take_size(LayerLine& line, std::string_view what);
[[nodiscard]] HeightWidth take_stride(LayerLine& line, const HeightWidth& otherwise);
[[nodiscard]] HeightWidth take_pad(LayerLine& line);
[[nodiscard]] HeightWidth take_dilation(LayerLine& line);

}  // namespace convoy::nn
