// Finds the files of a data set.

#include <fmt/core.h>
#include <glob.h>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/hdf5/child_process.hpp"
#include "convoy/io/file_kind.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/layout.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::data {
namespace {

std::vector<std::string> matches_of(const std::string& pattern) {
  glob_t found{};
  const int status = ::glob(pattern.c_str(), GLOB_NOSORT | GLOB_ERR, nullptr, &found);
  std::vector<std::string> files;
  for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  if (status != 0 && status != GLOB_NOMATCH)
    throw IoError("cannot look for " + pattern + " (a folder in it cannot be read)");
  std::ranges::sort(files);  // by bytes: glob sorts by locale
  return files;
}

}  // namespace

namespace {

/// Why `file` may not be there, and what to do.
std::string hint_for_missing(const std::string& file) {
  if (file.find_first_of("'\"") != std::string::npos)
    return "quotes are part of its name here, leave them out";
  const std::string first = file.substr(0, file.find('/'));
  if (first.starts_with("$")) return "the environment variable " + first.substr(1) + " is not set";
  if (first.starts_with("~")) return "write the folder that " + first + " means";
  return "make it with convoy import or convoy synth";
}

/// The pattern of the HDF5 files in a folder; empty if there are none.
std::string hint_for_folder(const std::string& file) {
  for (const char* ending : {"/*.h5", "/*.hdf5"}) {
    const std::vector<std::string> inside = matches_of(file + ending);
    if (!inside.empty())
      return fmt::format(", or a pattern: '{}{}' are {}", file, ending, counted(std::ssize(inside), "file"));
  }
  return {};
}

}  // namespace

std::vector<std::string> files_of(const std::string& pattern) {
  const bool is_pattern = pattern.find_first_of("*?[") != std::string::npos;
  std::vector<std::string> files{pattern};
  if (is_pattern && !io::exists(pattern)) files = matches_of(pattern);
  if (files.empty()) throw ConfigError("no such file: no data set matches " + pattern);
  for (const std::string& file : files) {
    if (!io::exists(file))
      throw ConfigError(fmt::format("no such file: data set {}; {}", file, hint_for_missing(file)));
    if (const std::string kind = io::special_file(file); !kind.empty())
      throw ConfigError(
          fmt::format("data set {} is {}; it should be an HDF5 file{}", file, kind, hint_for_folder(file)));
  }
  return files;
}

std::string_view names::split_of_spelling(std::string_view word) {
  const std::string lower = in_lower_case(word);
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, lower) != words.end();
  };
  if (is_one_of({"train", "training", "trn", "tr"})) return kTrain;
  if (is_one_of({"validation", "valid", "val", "validate", "dev"})) return kValidation;
  if (is_one_of({"test", "testing", "tst", "t10k"})) return kTest;
  return {};
}

Paths test_paths(const Options& options) {
  const auto or_else = [](const std::string& own, const std::string& other) {
    return own.empty() ? other : own;
  };
  const bool apart = !options.train.labels_file.empty() || !options.train.targets_file.empty();
  const bool is_apart = !options.test.labels_file.empty() || !options.test.targets_file.empty();
  if (apart && !is_apart && !options.test_file.empty())
    throw ConfigError(fmt::format(
        "missing data.test-{0}-file: the {0} of data.file lie in a file of their own, so those of "
        "data.test-file should too",
        options.train.labels_file.empty() ? "targets" : "labels"));
  return {.images = or_else(options.test.images, options.train.images),
          .labels = or_else(options.test.labels, options.train.labels),
          .targets = or_else(options.test.targets, options.train.targets),
          .labels_file = or_else(options.test.labels_file, options.train.labels_file),
          .targets_file = or_else(options.test.targets_file, options.train.targets_file)};
}

std::vector<std::string> test_files_of(const Options& options) {
  if (options.train.images.empty() || (options.test.images.empty() && options.test_file.empty())) return {};
  return files_of(options.test_file.empty() ? options.file : options.test_file);
}

std::vector<std::string> files_of(const Options& options) {
  std::vector<std::string> files = files_of(options.file);
  std::set<std::string> known(files.begin(), files.end());
  const auto add = [&](std::vector<std::string> more) {
    for (std::string& each : more)
      if (known.insert(each).second) files.push_back(std::move(each));
  };
  const auto add_apart = [&](const Paths& paths) {
    for (const std::string& pattern : {paths.labels_file, paths.targets_file})
      if (!pattern.empty()) add(files_of(pattern));
  };
  if (options.train.images.empty()) return files;
  add_apart(options.train);
  if (std::vector<std::string> test = test_files_of(options); !test.empty()) {
    add(std::move(test));
    add_apart(test_paths(options));
  }
  return files;
}

bool is_made_by_convoy(const std::string& pattern) {
  const std::string path = files_of(pattern).front();
  bool is_made = false;
  const auto read = [&] {
    const io::File file = io::File::open(path);
    is_made = file.has_attribute("/", names::kFormat) &&
              file.attribute<std::string>("/", names::kFormat) == names::kFormatValue;
  };
  io::run_in_child(path, read, {}, {});
  read();
  return is_made;
}

}  // namespace convoy::data
