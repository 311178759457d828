#pragma once
// The shape of images in third-party files. Private to the samples room.

#include <cstdint>
#include <string>

#include "convoy/hdf5/file.hpp"
#include "convoy/samples/options.hpp"

namespace convoy::data {

/// The shape of the images of a data set and how many it holds.
struct Images {
  Shape shape;
  std::int64_t samples;
  Axes axes;
  std::int64_t rows_a_sample = 1;
};

/// The images of a data set `images` of `file` with extents `dims`, as options.axes and options.shape say, or
/// those that options.known_shape and known_axes describe.
/// `may_be_one`: a file may hold one sample, without a dimension N.
/// Throws DataError if the extents do not fit.
[[nodiscard]] Images images_of(const io::File& file, const std::string& images, const Dims& dims,
                               const Options& options, bool may_be_one);

/// True if `shape`, read as C, H, W, rather looks like H, W, C.
[[nodiscard]] bool looks_channels_last(const Shape& shape);

}  // namespace convoy::data
