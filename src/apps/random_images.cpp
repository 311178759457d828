#include "random_images.hpp"

#include "convoy/data/dataset.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::apps {
namespace {

constexpr std::int64_t kMostExtent = 65535;
constexpr Shape kUsualImage{3, 32, 32};

}  // namespace

void add_images(CommandLine& line) {
  line.add_value("shape", "CxHxW",
                 "images; default: data.file's if it is there, else " + to_string(kUsualImage));
  line.add_value("classes", "K",
                 "outputs the network must have; default: data.file's if it is there, else its last layer's");
}

Images choose_images(const CommandLine& line, const data::Options& data) {
  const std::string& file = data.file;
  const std::optional<Shape> shape = line.shape("shape", kMostExtent);
  std::optional<std::int64_t> classes;
  if (line.has("classes")) classes = line.integer("classes", 1, 1, 1 << 24);
  const bool is_pattern = file.find_first_of("*?[") != std::string::npos;
  const bool has_file = io::exists(file) || is_pattern;
  if (shape && (classes || !has_file)) return {*shape, classes, "as --shape says"};
  if (!has_file) return {kUsualImage, classes, "data.file " + file + " is not there, --shape names another"};
  const data::Dataset dataset(data, comm::Communicator::self(), {});
  return {shape.value_or(dataset.shape()), classes.value_or(dataset.classes()),
          shape ? "as --shape says" : "as in " + file};
}

nn::Network network_for(const Images& images, const config::Options& options) {
  return {images.shape, options.layers, options.loss, images.classes};
}

}  // namespace convoy::apps
