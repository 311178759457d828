#include "image_shape.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "wrong.hpp"

namespace convoy::data {
namespace {

std::string words_of(Axes axes) {
  constexpr std::array<const char*, 3> kWords{"four dimensions, [N][C][H][W]",
                                              "four dimensions, [N][H][W][C]", "three dimensions, [N][H][W]"};
  return kWords.at(static_cast<std::size_t>(axes));
}

Shape shape_of_one(const Dims& dims, Axes axes) {
  switch (axes) {
    case Axes::kNchw:
      return {dims[0], dims[1], dims[2]};
    case Axes::kNhwc:
      return {dims[2], dims[0], dims[1]};
    case Axes::kNhw:
      break;
  }
  return {1, dims[0], dims[1]};
}

std::size_t extents_of(Axes axes) {
  return axes == Axes::kNhw ? 2 : 3;
}

/// Images that a trained network takes; nothing if `dims` are not theirs.
std::optional<Images> known_images(const Dims& dims, const Options& options) {
  const Shape& shape = options.known_shape;
  const Axes own = options.known_axes.value_or(options.axes);
  if (dims.size() <= 2 && dims.back() == shape.size()) {
    if (dims.size() == 2) return Images{shape, dims[0], own};
    return Images{shape, 1, own, dims[0]};
  }
  for (const Axes axes : {own, options.axes}) {
    const std::size_t extents = extents_of(axes);
    if (dims.size() == extents + 1 && shape_of_one(Dims(dims.begin() + 1, dims.end()), axes) == shape)
      return Images{shape, dims[0], axes};
    if (dims.size() == extents && shape_of_one(dims, axes) == shape) return Images{shape, 1, axes, dims[0]};
  }
  return std::nullopt;
}

/// What would make `dims` images.
std::string hint_for(const Dims& dims, const Options& options) {
  const bool is_key = options.advice == Advice::kKeys;
  if (dims.size() == 2 && !is_key)
    return fmt::format("; of images stored flat, each should have the {} numbers of {}",
                       options.known_shape.size(), to_string(options.known_shape));
  if (dims.size() == 2) return "; data.shape = CxHxW reads images stored flat";
  if (dims.size() != 3 || options.axes == Axes::kNhw) return "";
  if (is_key) return "; data.layout = NHW reads grey images, a pattern in data.file one image of each file";
  if (options.known_shape.c == 1) return "; --layout NHW reads grey images";
  return "; a single image should be " + to_string(options.known_shape);
}

}  // namespace

const std::vector<std::string_view>& axes_names() {
  static const std::vector<std::string_view> names{"NCHW", "NHWC", "NHW"};
  return names;
}

Images images_of(const io::File& file, const std::string& images, const Dims& dims, const Options& options,
                 bool may_be_one) {
  const auto wrong = [&](const std::string& right) {
    throw_wrong("wrong shape", file, images, "is [" + to_string(dims) + "]", right);
  };
  if (std::ranges::count(dims, 0) > 0) wrong("no extent may be zero");
  const std::size_t extents = extents_of(options.axes);
  if (const Shape& flat = options.shape; flat.c != 0) {
    if (dims.size() == 2 && dims[1] == flat.size()) return {flat, dims[0], options.axes};
    if (dims.size() == 1 && dims[0] == flat.size() && may_be_one) return {flat, 1, options.axes, dims[0]};
    wrong(fmt::format("data.shape = {} goes with [N][{}]", to_string(flat), flat.size()));
  }
  if (options.known_shape.c != 0 && !dims.empty())
    if (const std::optional<Images> known = known_images(dims, options)) return *known;
  if (dims.size() == extents + 1) {
    Dims one(dims.begin() + 1, dims.end());
    return {shape_of_one(one, options.axes), dims[0], options.axes};
  }
  if (dims.size() == extents && may_be_one)
    return {shape_of_one(dims, options.axes), 1, options.axes, dims[0]};
  wrong(fmt::format("it should have {} ({}){}", words_of(options.axes), options.spelled("layout"),
                    hint_for(dims, options)));
  return {};
}

bool looks_channels_last(const Shape& shape) {
  const bool is_square = shape.c > 1 && shape.c == shape.h && shape.h != shape.w;
  return (shape.w == 1 || shape.w == 3 || shape.w == 4) && (shape.c > 4 || is_square);
}

}  // namespace convoy::data
