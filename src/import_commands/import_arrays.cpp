// convoy import npz, mat: arrays of images and labels.

#include <fmt/core.h>

#include "import_formats.hpp"

namespace convoy::apps {
namespace {

ExitStatus import_npz(const CommandLine& line) {
  const importers::NpzOptions options{.file = line.words().size() > 1 ? line.words()[1] : "",
                                      .out = line.required_text("out"),
                                      .train = pair_of(line, ""),
                                      .test = pair_of(line, "test-"),
                                      .validation = pair_of(line, "validation-"),
                                      .layout = line.text("layout").value_or(""),
                                      .labels = label_rules(line)};
  if (options.file.empty() && (options.train.images.empty() || options.train.labels.empty()))
    throw ConfigError("import npz takes FILE.npz, or --images F.npy and --labels F.npy; give one of both");
  return import_alone(
      options.out, [&](importers::Observer& observer) { return importers::import_npz(options, &observer); });
}

ExitStatus import_mat(const CommandLine& line) {
  const importers::FilePair names = pair_of(line, "");
  const importers::MatOptions options{.train = line.words()[1],
                                      .test = line.words().size() > 2 ? line.words()[2] : "",
                                      .out = line.required_text("out"),
                                      .images = names.images.empty() ? "X" : names.images,
                                      .labels_name = names.labels.empty() ? "y" : names.labels,
                                      .layout = line.text("layout").value_or(""),
                                      .labels = label_rules(line)};
  return import_alone(
      options.out, [&](importers::Observer& observer) { return importers::import_mat(options, &observer); });
}

}  // namespace

ImportFormat npz_format() {
  ImportFormat format{
      .name = "npz",
      .usage = "FILE.npz, or --images F.npy --labels F.npy",
      .about =
          "arrays of numpy under MedMNIST's, Keras's or other usual names (train_images, x_train, ...), or "
          "as "
          "--images and --labels name them",
      .options = {{"images", "NAME", "array of the images: a name in FILE.npz, F.npy, or F.npz:NAME"},
                  {"labels", "NAME", "array of the labels, likewise"},
                  {"layout", "NHWC", "its extents in their order: N images, C channels, H rows, W columns"}},
      .least_words = 0,
      .most_words = 1,
      .run = import_npz};
  for (const char* split : {"test", "validation"})
    for (const char* what : {"images", "labels"})
      format.options.push_back({fmt::format("{}-{}", split, what), "NAME",
                                fmt::format("array of the {} of the {} split", what, split)});
  for (ImportOption& option : label_options()) format.options.push_back(std::move(option));
  return format;
}

ImportFormat mat_format() {
  ImportFormat format{
      .name = "mat",
      .usage = "TRAIN.mat [TEST.mat]",
      .about = "variables X and y of MATLAB 7.3 files (save -v7.3), as SVHN has them",
      .options = {{"images", "NAME", "variable of the images; default X"},
                  {"labels", "NAME", "variable of the labels; default y"},
                  {"layout", "HWCN",
                   "extents of the images as MATLAB's size() gives them; default HWCN or HWN"}},
      .least_words = 1,
      .most_words = 2,
      .run = import_mat};
  for (ImportOption& option : label_options()) format.options.push_back(std::move(option));
  return format;
}

}  // namespace convoy::apps
