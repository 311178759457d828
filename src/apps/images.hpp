#pragma once
// The images that commands measure with, which need no data set: random ones of a shape.

#include <cstdint>
#include <optional>
#include <string>

#include "command_line.hpp"
#include "convoy/config/options.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::apps {

struct Images {
  Shape shape;
  std::optional<std::int64_t> classes;  ///< nothing: as many as the network has outputs
  std::string origin;                   ///< "as in cifar10.h5"
};

/// --shape and --classes.
void add_images(CommandLine& line);
/// What they say, else the data set `data` means, else CIFAR's shape.
[[nodiscard]] Images choose_images(const CommandLine& line, const data::Options& data);

/// The network of `options` for them.
[[nodiscard]] nn::Network network_for(const Images& images, const config::Options& options);

}  // namespace convoy::apps
