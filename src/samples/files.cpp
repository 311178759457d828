// Finds the files of a data set.

#include <glob.h>

#include <algorithm>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/samples/layout.hpp"

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

std::vector<std::string> files_of(const std::string& pattern) {
  const bool is_pattern = pattern.find_first_of("*?[") != std::string::npos;
  std::vector<std::string> files{pattern};
  if (is_pattern && !io::exists(pattern)) files = matches_of(pattern);
  if (files.empty()) throw ConfigError("no such file: no data set matches " + pattern);
  for (const std::string& file : files) {
    if (!io::exists(file))
      throw ConfigError("no such file: data set " + file + "; make it with convoy import or convoy synth");
    if (io::is_folder(file))
      throw ConfigError("data set " + file + " is a folder; it should be an HDF5 file");
  }
  return files;
}

Paths test_paths(const Options& options) {
  const auto or_else = [](const std::string& own, const std::string& other) {
    return own.empty() ? other : own;
  };
  return {.images = or_else(options.test.images, options.train.images),
          .labels = or_else(options.test.labels, options.train.labels),
          .targets = or_else(options.test.targets, options.train.targets)};
}

std::vector<std::string> test_files_of(const Options& options) {
  if (options.train.images.empty() || (options.test.images.empty() && options.test_file.empty())) return {};
  return files_of(options.test_file.empty() ? options.file : options.test_file);
}

std::vector<std::string> files_of(const Options& options) {
  std::vector<std::string> files = files_of(options.file);
  for (std::string& each : test_files_of(options))
    if (std::ranges::find(files, each) == files.end()) files.push_back(std::move(each));
  return files;
}

}  // namespace convoy::data
