#include "image_shape.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

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
  const std::size_t extents = options.axes == Axes::kNhw ? 2 : 3;
  if (const Shape& flat = options.shape; flat.c != 0) {
    if (dims.size() == 2 && dims[1] == flat.size()) return {flat, dims[0]};
    if (dims.size() == 1 && dims[0] == flat.size() && may_be_one) return {flat, 1, dims[0]};
    wrong(fmt::format("data.shape = {} goes with [N][{}]", to_string(flat), flat.size()));
  }
  if (dims.size() == extents + 1) {
    Dims one(dims.begin() + 1, dims.end());
    return {shape_of_one(one, options.axes), dims[0]};
  }
  if (dims.size() == extents && may_be_one) return {shape_of_one(dims, options.axes), 1, dims[0]};
  std::string hint;
  if (dims.size() == 2) hint = "; data.shape = CxHxW reads images stored flat";
  if (dims.size() == 3 && options.axes != Axes::kNhw)
    hint = "; data.layout = NHW reads grey images, a pattern in data.file one image of each file";
  wrong("it should have " + words_of(options.axes) + " (data.layout)" + hint);
  return {};
}

}  // namespace convoy::data
