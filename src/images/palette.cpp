#include "palette.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "decoder.hpp"

namespace convoy::images {

Palette grey_ramp() {
  constexpr unsigned kGreys = 256;
  Palette palette;
  for (unsigned i = 0; i < kGreys; ++i) {
    const auto grey = static_cast<std::uint8_t>(i);
    palette.push_back({grey, grey, grey});
  }
  return palette;
}

std::int64_t channels_of(const Palette& palette) {
  return std::ranges::all_of(
             palette, [](const auto& colour) { return colour[0] == colour[1] && colour[1] == colour[2]; })
             ? 1
             : 3;
}

void expand(std::span<const std::uint8_t> indices, const Palette& palette, std::span<std::uint8_t> pixels,
            const std::string& name) {
  const auto channels = static_cast<std::size_t>(channels_of(palette));
  std::uint8_t* to = pixels.data();
  for (const std::uint8_t index : indices) {
    if (index >= palette.size())
      throw_bad_image(name, fmt::format("a pixel has colour {} of a palette of {}", index, palette.size()));
    to = std::copy_n(palette[index].begin(), channels, to);
  }
}

}  // namespace convoy::images
