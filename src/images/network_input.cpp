#include "convoy/images/network_input.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "convoy/core/error.hpp"
#include "convoy/core/first_failure.hpp"
#include "convoy/core/parallel.hpp"
#include "convoy/images/image_file.hpp"

namespace convoy::images {
namespace {

void read_one(const std::string& path, const Shape& shape, std::optional<Fit> fit, std::uint8_t* to) {
  Image image = read_image(path);
  if (fit && shape.c != 1 && shape.c != 3)
    throw DataError(fmt::format("{} does not fit a network for {} (its {} are neither grey nor colour)", path,
                                to_string(shape), "channels"));
  if (fit) image = fitted(std::move(image), shape, *fit);
  if (image.shape != shape)
    throw DataError(
        fmt::format("{} is {}, the network takes {}; --fit stretch or --fit crop resizes images and converts "
                    "between grey and colour",
                    path, to_string(image.shape), to_string(shape)));
  std::ranges::copy(image.pixels, to);
}

}  // namespace

std::vector<std::uint8_t> read_for_network(std::span<const std::string> paths, const Shape& shape,
                                           std::optional<Fit> fit, int threads) {
  const std::int64_t size = shape.size();
  const auto count = static_cast<std::int64_t>(paths.size());
  std::vector<std::uint8_t> images(static_cast<std::size_t>(count * size));
  FirstFailure failure;
  parallel_for(threads, count, Shares::kInTurn, [&](std::int64_t i) {
    (void)failure.attempt(
        i, [&] { read_one(paths[static_cast<std::size_t>(i)], shape, fit, images.data() + i * size); });
  });
  failure.rethrow();
  return images;
}

std::vector<std::string> images_below(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  try {
    for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator();
         ++entry) {
      const std::string name = entry->path().filename().string();
      const bool is_hidden = name.starts_with('.');
      if (entry->is_directory()) {
        if (is_hidden) entry.disable_recursion_pending();
      } else if (!is_hidden && is_image_name(name)) {
        paths.push_back(entry->path().string());
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw IoError(fmt::format("cannot search {} ({})",
                              error.path1().empty() ? folder : error.path1().string(),
                              error.code().message()));
  }
  std::ranges::sort(paths);
  return paths;
}

}  // namespace convoy::images
