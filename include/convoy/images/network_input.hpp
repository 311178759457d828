#pragma once
// Image files as the input of a trained network: the bytes that `import folder` would have stored.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/images/image.hpp"

namespace convoy::images {

/// Reads image files on `threads` threads into [paths.size()][C][H][W] of `shape`. With `fit`, every image is
/// converted to the channels and resized to the size of `shape` as import_folder() does; without, an image of
/// another shape is an error. Throws the error of the first path that has one: DataError with file, its shape
/// and the expected one, or as read_image().
[[nodiscard]] std::vector<std::uint8_t> read_for_network(std::span<const std::string> paths,
                                                         const Shape& shape, std::optional<Fit> fit,
                                                         int threads);

/// The image files in `folder` and below it, sorted by the bytes of their paths; hidden ones and links to
/// folders are left out. Throws IoError.
[[nodiscard]] std::vector<std::string> images_below(const std::string& folder);

}  // namespace convoy::images
