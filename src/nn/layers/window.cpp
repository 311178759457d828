#include "window.hpp"

#include <tuple>

namespace convoy::nn {
Shape Window::output(const Shape& input, std::int64_t channels) const {
  return {channels, (input.h + 2 * ph - kh) / sh + 1, (input.w + 2 * pw - kw) / sw + 1};
}

void Window::visit(AttributeVisitor& visitor, std::string_view size,
                   const HeightWidth& default_stride) const {
  visitor.positional(size, HeightWidth{kh, kw});
  visitor.option("stride", HeightWidth{sh, sw}, default_stride);
  visitor.option("pad", HeightWidth{ph, pw}, HeightWidth{0, 0});
}

void Window::check(const LayerLine& line, const Shape& input) const {
  if (kh > input.h + 2 * ph || kw > input.w + 2 * pw) {
    line.fail("the window " + std::to_string(kh) + 'x' + std::to_string(kw) +
              " is larger than its padded input of " + std::to_string(input.h + 2 * ph) + 'x' +
              std::to_string(input.w + 2 * pw) + " (input " + to_string(input) +
              "; a smaller window, or pad=, would fit)");
  }
}

Window take_window(LayerLine& line, const char* what, const std::optional<HeightWidth>& default_stride) {
  constexpr std::int64_t kMost = 65535;
  Window window;
  std::tie(window.kh, window.kw) = line.take_size(what);
  const HeightWidth stride = default_stride.value_or(HeightWidth{window.kh, window.kw});
  std::tie(window.sh, window.sw) = line.take_option_pair("stride", {stride.h, stride.w}, 1, kMost);
  std::tie(window.ph, window.pw) = line.take_option_pair("pad", {0, 0}, 0, kMost);
  return window;
}

}  // namespace convoy::nn
