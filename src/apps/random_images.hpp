#pragma once
// Random images of a given shape, for commands that measure without a data set.

#include <cstdint>
#include <optional>
#include <string>

#include "convoy/command_line/command_line.hpp"
#include "convoy/config/options.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/nn/network.hpp"

namespace convoy::apps {

struct Images {
  Shape shape;
  std::optional<std::int64_t> classes;  ///< no value: the number of outputs of the network
  std::string origin;                   ///< "as in cifar10.h5"
};

/// --shape and --classes.
void add_images(CommandLine& line);
/// Shape and classes from these options, else from the data set of `data`, else those of CIFAR.
[[nodiscard]] Images choose_images(const CommandLine& line, const data::Options& data);

/// The network of `options` for `images`.
[[nodiscard]] nn::Network network_for(const Images& images, const config::Options& options);

}  // namespace convoy::apps
