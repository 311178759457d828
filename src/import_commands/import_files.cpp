// convoy import files: HDF5 files of others, of one sample or more each.

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "convoy/config/keys.hpp"
#include "convoy/config/options.hpp"
#include "convoy/core/text.hpp"
#include "convoy/importers/import_files.hpp"
#include "convoy/machine/placement.hpp"
#include "dataset_command.hpp"
#include "import_formats.hpp"

namespace convoy::apps {
namespace {

/// Keys of section [data] that say what is read.
constexpr std::array<const char*, 21> kKeys{
    "images",          "labels",       "targets",          "layout",
    "shape",           "label-values", "classes",          "class-names",
    "labels-file",     "targets-file", "test-file",        "test-images",
    "test-labels",     "test-targets", "test-labels-file", "test-targets-file",
    "validation-part", "split",        "train-index",      "validation-index",
    "test-index"};

config::Key key_of(const std::string& option) {
  return *config::find_key("data." + option);
}

void read(const CommandLine& line, const std::string& option, config::Options& options) {
  const auto value = line.text(option);
  if (!value) return;
  const config::Key key = key_of(option);
  if (!key.read(options, *value, "--" + option))
    throw ConfigError(fmt::format("--{} {} is not {}{}", option, *value, key.allowed, key.advice));
}

importers::FilesOptions options_of(const CommandLine& line) {
  config::Options options;
  for (const char* option : kKeys) read(line, option, options);
  importers::FilesOptions files{.data = options.data, .out = line.required_text("out")};
  files.data.file = line.words()[1];
  if (files.data.train.images.empty())
    throw ConfigError(
        "import files needs --images /PATH: where in each file the images lie ('convoy inspect FILE' "
        "lists what there is)");
  if (files.data.train.labels.empty() == files.data.train.targets.empty())
    throw ConfigError(
        "import files needs one of --labels /PATH and --targets /PATH: where in each file the answers "
        "lie");
  files.threads = machine::resolve_threads(line.integer("threads", 0, 0, 4096));
  return files;
}

std::string describe(const importers::FilesReport& report, const std::string& out) {
  std::string text = fmt::format("Made {}: {}, {}", out, to_string(report.shape),
                                 report.target_size > 0 ? counted(report.target_size, "number") + " a target"
                                                        : counted(report.classes, "class"));
  for (const auto& [name, samples] : report.splits)
    text += fmt::format(", {} in {}", counted(samples, "image"), name);
  text += fmt::format(".\nStored as {}, from {}.", report.stored, report.of);
  for (const std::string& warning : report.warnings) text += "\nwarning: " + warning;
  return text;
}

ExitStatus import_files(const CommandLine& line) {
  const importers::FilesOptions options = options_of(line);
  return make_dataset("import",
                      [&](const comm::Communicator& world, importers::Observer& observer, const Say& say) {
                        say(describe(importers::import_files(options, world, &observer), options.out));
                      });
}

std::vector<ImportOption> files_options() {
  std::vector<ImportOption> options;
  for (const char* option : kKeys) {
    const config::Key& key = key_of(option);
    options.push_back({option, key.value_name, "as " + key.name + " of train"});
  }
  options.push_back({"threads", "N", "threads of a rank; default 0: as train chooses them"});
  return options;
}

}  // namespace

ImportFormat files_format() {
  return {.name = "files",
          .usage = "'PATTERN'",
          .about =
              "HDF5 files of others, of one sample or more each, in the order of their names; ranks and "
              "threads share its work and change no byte of the file",
          .options = files_options(),
          .least_words = 1,
          .most_words = 1,
          .run = import_files};
}

}  // namespace convoy::apps
