#pragma once
// Images of a palette: an index per pixel. Private to the images room.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace convoy::images {

/// Colours by index; red, green, blue.
using Palette = std::vector<std::array<std::uint8_t, 3>>;

/// Index i is the grey i: for files without a palette.
[[nodiscard]] Palette grey_ramp();

/// 1 if every colour is a grey, else 3: formats without grey images store them by a palette of greys.
[[nodiscard]] std::int64_t channels_of(const Palette& palette);

/// Assigns the colours of `indices` to `pixels`, [n][channels_of(palette)]. An index beyond the palette is a
/// bad image `name`.
void expand(std::span<const std::uint8_t> indices, const Palette& palette, std::span<std::uint8_t> pixels,
            const std::string& name);

}  // namespace convoy::images
