#include "window.hpp"

#include <string>

#include "convoy/layers/layer_error.hpp"

namespace convoy::nn {
namespace {

constexpr std::int64_t kMost = 65535;
constexpr HeightWidth kNoPad{0, 0};
constexpr HeightWidth kAdjacent{1, 1};

void require_range(const char* what, const HeightWidth& value, std::int64_t least) {
  if (value.h < least || value.w < least || value.h > kMost || value.w > kMost)
    throw LayerError(std::string(what) + " is not from " + std::to_string(least) + " to " +
                     std::to_string(kMost));
}

std::string with_x(std::int64_t h, std::int64_t w) {
  return std::to_string(h) + 'x' + std::to_string(w);
}

HeightWidth take_pair(LayerLine& line, const char* key, const HeightWidth& otherwise, std::int64_t least) {
  const auto pair = line.take_option_pair(key, {otherwise.h, otherwise.w}, least, kMost);
  return {pair.first, pair.second};
}

}  // namespace

Window::Window(const HeightWidth& size, const HeightWidth& stride, const HeightWidth& pad, const Shape& input,
               const HeightWidth& dilation)
    : size_(size), stride_(stride), pad_(pad), dilation_(dilation) {
  require_range("the window", size, 1);
  require_range("stride", stride, 1);
  require_range("pad", pad, 0);
  require_range("dilation", dilation, 1);
  const std::int64_t h = input.h + 2 * pad.h;
  const std::int64_t w = input.w + 2 * pad.w;
  const std::int64_t extent_h = dilation.h * (size.h - 1) + 1;
  const std::int64_t extent_w = dilation.w * (size.w - 1) + 1;
  if (extent_h > h || extent_w > w) {
    throw LayerError("the window " + with_x(size.h, size.w) +
                     (dilation == kAdjacent ? "" : ", with dilation " + with_x(extent_h, extent_w) + ",") +
                     " is larger than its padded input of " + with_x(h, w) + " (input " + to_string(input) +
                     "; a smaller window, or pad=, would fit)");
  }
}

Shape Window::output(const Shape& input, std::int64_t channels) const {
  return {channels, (input.h + 2 * pad_.h - dilation_.h * (size_.h - 1) - 1) / stride_.h + 1,
          (input.w + 2 * pad_.w - dilation_.w * (size_.w - 1) - 1) / stride_.w + 1};
}

void Window::visit(AttributeVisitor& visitor, std::string_view size,
                   const HeightWidth& default_stride) const {
  visitor.positional(size, size_);
  visitor.option("stride", stride_, default_stride);
  visitor.option("pad", pad_, kNoPad);
}

HeightWidth take_size(LayerLine& line, std::string_view what) {
  const auto pair = line.take_size(what);
  return {pair.first, pair.second};
}

HeightWidth take_stride(LayerLine& line, const HeightWidth& otherwise) {
  return take_pair(line, "stride", otherwise, 1);
}

HeightWidth take_pad(LayerLine& line) {
  return take_pair(line, "pad", kNoPad, 0);
}

HeightWidth take_dilation(LayerLine& line) {
  return take_pair(line, "dilation", kAdjacent, 1);
}

}  // namespace convoy::nn
