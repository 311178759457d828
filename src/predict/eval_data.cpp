#include "convoy/predict/eval_data.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/samples/layout.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::predict {
namespace {

/// What the file that the command line names was in the run.
enum class Role : char {
  kOther,  ///< none of its files
  kMade,   ///< likewise, a data set of import or synth, though the run's are none
  kAll,    ///< the file of all splits
  kTrain,  ///< the training file beside a test file
  kTest,   ///< the test file
};

/// Whether two patterns name the same files; false if one names none.
bool are_same(const std::string& one, const std::string& other) {
  if (one.empty() || other.empty()) return false;
  if (one == other) return true;
  const auto files_of = [](const std::string& pattern) {
    std::vector<std::string> files;
    try {
      files = data::files_of(pattern);
    } catch (const Error&) {  // told when it is read
    }
    for (std::string& file : files) {
      std::error_code unknown;
      const auto real = std::filesystem::canonical(file, unknown);
      if (!unknown) file = real.string();
    }
    std::ranges::sort(files);
    return files;
  };
  const std::vector<std::string> files = files_of(one);
  return !files.empty() && files == files_of(other);
}

Role role_of(const std::string& file, const data::Options& run) {
  const bool is_first = are_same(file, run.file);
  const bool is_test = are_same(file, run.test_file);
  if (is_first) return run.test_file.empty() || is_test ? Role::kAll : Role::kTrain;
  if (is_test) return Role::kTest;
  const bool is_made = !run.train.images.empty() && data::is_made_by_convoy(file);
  return is_made ? Role::kMade : Role::kOther;
}

/// The file and its labels become those of the split 'test'.
void read_as_test(data::Options& options, const data::Options& run) {
  options.train = data::test_paths(run);
  options.held_out = {};
}

/// Third-party files as the command line says.
EvalReading as_asked(const EvalData& asked, const data::Options& run) {
  EvalReading reading{.options = {.file = asked.file, .train = asked.paths},
                      .split = data::names::kTrain,
                      .train_name = asked.split.empty() ? asked.paths.images : asked.split};
  reading.options.axes = asked.axes.value_or(data::Axes::kNchw);
  if (!asked.axes) reading.options.known_axes = run.axes;
  // Any split may be said to lie there, but no other word.
  if (!asked.split.empty() && data::names::split_of_spelling(asked.split).empty())
    reading.split = asked.split;
  return reading;
}

EvalReading as_in_the_run(const EvalData& asked, const data::Options& run, Role role) {
  EvalReading reading{.options = run, .split = asked.split, .train_name = data::names::kTrain};
  data::Options& options = reading.options;
  options.file = asked.file;
  if (asked.split.empty()) reading.split = "test|validation|train";
  if (run.train.images.empty()) return reading;
  if (role == Role::kMade) {
    options.train = options.test = {};
    options.test_file.clear();
    options.held_out = {};
    options.axes = data::Axes::kNchw;
    return reading;
  }
  const bool is_test = asked.split == data::names::kTest;
  if (role == Role::kAll) {
    if (!run.test_file.empty()) options.test_file = asked.file;
    return reading;
  }
  const bool is_of_test = role == Role::kTest || (is_test && !run.test_file.empty());
  if (is_of_test) read_as_test(options, run);
  if (role == Role::kTrain && is_test) options.file = run.test_file;
  if (role == Role::kTest && !is_test && !asked.split.empty())
    throw DataError(
        fmt::format("data set {} has no samples in split '{}' (it is the test file of the run of {}); "
                    "leave --split out",
                    asked.file, asked.split, asked.checkpoint));
  if (role == Role::kOther) {
    options.train.labels_file.clear();
    options.train.targets_file.clear();
    options.test.labels_file.clear();
    options.test.targets_file.clear();
    // Samples are held out of the run's training file alone.
    if (!run.test_file.empty() && asked.split.empty()) options.held_out = {};
    if (asked.split.empty()) reading.train_name = options.train.images;
  }
  if (!run.test_file.empty()) {
    options.test = {};
    options.test_file.clear();
  }
  if (is_of_test) {
    reading.split = data::names::kTrain;
    reading.train_name = data::names::kTest;
  }
  return reading;
}

/// Labels or targets of the run's arrays in a file that the command line names.
void take_answers_file(const EvalData& asked, data::Options& options) {
  const data::Paths& paths = asked.paths;
  if (paths.labels_file.empty() && paths.targets_file.empty()) return;
  const std::string given = paths.labels_file.empty() ? "--targets-file" : "--labels-file";
  if (options.train.images.empty())
    throw ConfigError(
        fmt::format("{} needs --images and --labels or --targets: {} was trained on a data set of "
                    "convoy import, which has no such file",
                    given, asked.checkpoint));
  if (options.train.targets.empty() == paths.labels_file.empty())
    throw ConfigError(fmt::format("{} does not fit: {} was trained on {}", given, asked.checkpoint,
                                  paths.labels_file.empty() ? "labels; --labels-file names their file"
                                                            : "targets; --targets-file names their file"));
  for (data::Paths* each : {&options.train, &options.test}) {
    each->labels_file = paths.labels_file;
    each->targets_file = paths.targets_file;
  }
}

/// What to type if a file has arrays of other names than those of the run.
std::string advice_on_paths(const data::Options& run) {
  const auto& axes = data::axes_names();
  return fmt::format("arrays of other names are --images /PATH --{} /PATH --layout {}",
                     run.train.targets.empty() ? "labels" : "targets",
                     axes[static_cast<std::size_t>(run.axes)]);
}

/// The classes, the images and the words of the run.
void fit_to_network(data::Options& options, const TrainedNetwork& trained) {
  options.label_values = trained.options.data.label_values;
  options.classes = 0;
  options.class_names.clear();
  options.known_names = trained.header.class_names;
  options.known_values = trained.header.label_values;
  options.known_classes = trained.network.classes();
  options.shape = {};
  options.known_shape = trained.header.input.shape;
  options.function = trained.header.input.function;
  options.verify = false;
  options.augment = {};
  options.advice = data::Advice::kOptions;
}

}  // namespace

EvalReading reading_of(const EvalData& asked, const TrainedNetwork& trained,
                       const comm::Communicator& world) {
  const data::Options& run = trained.options.data;
  EvalReading reading;
  if (!asked.paths.images.empty()) {
    reading = as_asked(asked, run);
  } else {
    Role role = Role::kOther;
    io::agreed_at_root(world, [&] { role = role_of(asked.file, run); });
    reading = as_in_the_run(asked, run, world.broadcast_value(role));
    take_answers_file(asked, reading.options);
    if (!run.train.images.empty()) reading.options.advice_on_paths = advice_on_paths(run);
  }
  fit_to_network(reading.options, trained);
  return reading;
}

}  // namespace convoy::predict
