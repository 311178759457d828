#pragma once
// The formats of `convoy import`. A new format is src/apps/import_<name>.cpp with a function that returns it,
// declared here, and one line in the table of src/apps/import.cpp; --help, man page and completion are made
// from it.

#include <string>
#include <vector>

#include "convoy/command_line/command_line.hpp"
#include "convoy/importers/import.hpp"

namespace convoy::apps {

struct ImportOption {
  std::string name;   ///< without --; formats may share one
  std::string value;  ///< what --help shows for the value
  std::string help;
};

struct ImportFormat {
  std::string name;
  std::string usage;  ///< its words: "DIR"
  std::string about;  ///< what it reads; a part of a sentence
  std::vector<ImportOption> options;
  std::size_t least_words;  ///< behind its name
  std::size_t most_words;
  ExitStatus (*run)(const CommandLine& line);
};

[[nodiscard]] ImportFormat mnist_format();
[[nodiscard]] ImportFormat cifar10_format();
[[nodiscard]] ImportFormat cifar100_format();
[[nodiscard]] ImportFormat stl10_format();
[[nodiscard]] ImportFormat idx_format();
[[nodiscard]] ImportFormat npz_format();
[[nodiscard]] ImportFormat mat_format();
[[nodiscard]] ImportFormat folder_format();
[[nodiscard]] ImportFormat files_format();

/// Runs an importer on one rank and says what it made.
[[nodiscard]] ExitStatus import_alone(
    const std::string& out,
    const std::function<importers::ImportReport(importers::Observer& observer)>& make);

/// --SPLIT-images and --SPLIT-labels; of the training split, empty, without "train-" if `prefix` is empty.
[[nodiscard]] importers::FilePair pair_of(const CommandLine& line, const std::string& prefix);

/// --label-values and --zero-is.
[[nodiscard]] std::vector<ImportOption> label_options();
[[nodiscard]] importers::LabelRules label_rules(const CommandLine& line);

}  // namespace convoy::apps
