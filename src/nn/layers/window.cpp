#include "window.hpp"

#include <tuple>

namespace convoy::nn {
namespace {

std::string one_or_two(std::int64_t h, std::int64_t w) {
  return h == w ? std::to_string(h) : std::to_string(h) + 'x' + std::to_string(w);
}

}  // namespace

Shape Window::output(const Shape& input, std::int64_t channels) const {
  return {channels, (input.h + 2 * ph - kh) / sh + 1, (input.w + 2 * pw - kw) / sw + 1};
}

std::string Window::description(std::int64_t default_sh, std::int64_t default_sw) const {
  std::string text = std::to_string(kh) + 'x' + std::to_string(kw);
  if (sh != default_sh || sw != default_sw) text += " stride=" + one_or_two(sh, sw);
  if (ph != 0 || pw != 0) text += " pad=" + one_or_two(ph, pw);
  return text;
}

void Window::check(const LayerLine& line, const Shape& input) const {
  if (kh > input.h + 2 * ph || kw > input.w + 2 * pw) {
    line.fail("the window " + std::to_string(kh) + 'x' + std::to_string(kw) +
              " is larger than its padded input of " + std::to_string(input.h + 2 * ph) + 'x' +
              std::to_string(input.w + 2 * pw) + " (input " + to_string(input) +
              "; a smaller window, or pad=, would fit)");
  }
}

Window take_window(LayerLine& line, const char* what,
                   std::optional<std::pair<std::int64_t, std::int64_t>> default_stride) {
  constexpr std::int64_t kMost = 65535;
  Window window;
  std::tie(window.kh, window.kw) = line.take_size(what);
  const auto stride = default_stride.value_or(std::pair{window.kh, window.kw});
  std::tie(window.sh, window.sw) = line.take_option_pair("stride", stride, 1, kMost);
  std::tie(window.ph, window.pw) = line.take_option_pair("pad", {0, 0}, 0, kMost);
  return window;
}

}  // namespace convoy::nn
