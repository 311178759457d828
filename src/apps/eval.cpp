// convoy eval: computes loss and accuracy of a checkpoint on a data set.

#include <fmt/core.h>

#include <iostream>
#include <optional>

#include "command.hpp"
#include "convoy/comm/agreement.hpp"
#include "convoy/command_line/command_line.hpp"
#include "convoy/command_line/layout_option.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/machine/placement.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/predict/eval_data.hpp"
#include "convoy/predict/eval_report.hpp"
#include "convoy/predict/trained_network.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/train/evaluation.hpp"

namespace convoy::apps {
namespace {

struct EvalRequest {
  predict::EvalData data;
  std::int64_t threads = 0;
  predict::EvalTables tables;
  bool as_json = false;
  std::string predictions;    // file; empty: none
  std::string confusion_csv;  // likewise
};

/// Throws DataError if the data set does not fit the trained network.
void require_same_input(const EvalRequest& request, const model::CheckpointHeader& header,
                        const data::Dataset& dataset, std::int64_t outputs) {
  const auto refuse = [&](const std::string& here, const std::string& there, const char* hint = "") {
    throw DataError(
        fmt::format("data set {} holds {}, but {} was trained on {}; name the data set it was made for{}",
                    request.data.file, here, request.data.checkpoint, there, hint));
  };
  const Shape& shape = dataset.shape();
  const bool is_channels_last = header.input.shape == Shape{shape.w, shape.c, shape.h};
  if (shape != header.input.shape)
    refuse("images of " + to_string(shape), to_string(header.input.shape),
           is_channels_last ? " (--layout NHWC, if channels come last in it)" : "");
  const double scale = dataset.transform(data::Normalize::kNone).scale;
  if (scale != header.input.scale)
    refuse(scale == 1 ? "float images" : "uint8 images", scale == 1 ? "uint8 ones" : "float ones");
  if (dataset.classes() > outputs) refuse(counted(dataset.classes(), "class"), std::to_string(outputs));
}

ExitStatus evaluate_checkpoint(const EvalRequest& request, const comm::Communicator& world) {
  comm::require_agreement(world, "build", step::build_digest(), step::kSameBuild);
  io::agreed_at_root(world, [&] {
    for (const std::string& file : {request.predictions, request.confusion_csv}) io::require_folder_of(file);
  });
  const std::string& checkpoint = request.data.checkpoint;
  const predict::TrainedNetwork trained = predict::read_trained_network(checkpoint, world);
  const model::CheckpointHeader& header = trained.header;
  const config::Options& options = trained.options;

  const predict::EvalReading reading = predict::reading_of(request.data, trained, world);
  const data::Dataset dataset(reading.options, world, {reading.split});
  const data::Split* split = dataset.split(reading.split);
  if (split == nullptr || split->samples() == 0) {
    throw DataError(
        fmt::format("data set {} has no samples in split '{}' (--split); 'convoy inspect' shows its splits",
                    reading.options.file, reading.split));
  }
  require_same_input(request, header, dataset, trained.network.classes());
  (void)train::outputs_for(dataset, options);
  if ((request.tables.confusion || !request.confusion_csv.empty()) && dataset.has_targets())
    throw ConfigError("--confusion needs classes (" + request.data.file + " holds targets); leave it out");

  step::Engine engine(trained.network,
                      {.kernels = kernels::float_kernels(step::agreed_isa(world, kernels::choose_isa())),
                       .threads = machine::resolve_threads(request.threads),
                       .micro_batch = options.micro_batch,
                       .precision = options.precision});
  // Names of third-party files are in the first file of the run, and may not be in this one.
  const bool are_of_run = dataset.class_names().empty() || !reading.options.train.images.empty();
  const std::vector<std::string>& names =
      are_of_run && !header.class_names.empty() ? header.class_names : dataset.class_names();
  predict::PredictionsCsv predictions(options.loss.kind, names);
  const bool needs_confusion = request.tables.by_class || request.tables.confusion || request.as_json ||
                               !request.confusion_csv.empty();
  predict::EvalReport report{.checkpoint = checkpoint,
                             .data = reading.options.file,
                             .split = split->name() == "train" ? reading.train_name : split->name(),
                             .evaluation = {},
                             .class_names = names,
                             .has_targets = dataset.has_targets(),
                             .classes = engine.outputs(),
                             .confusion = std::nullopt,
                             .outputs = {}};
  predict::evaluate(report, needs_confusion, request.predictions.empty() ? nullptr : &predictions, engine,
                    world, {.split = split, .transform = header.input}, trained.state);
  io::agreed_at_root(world, [&] {
    if (!request.predictions.empty()) io::write_text_file(request.predictions, predictions.text());
    if (!request.confusion_csv.empty())
      io::write_text_file(request.confusion_csv, predict::confusion_csv(report));
  });
  if (world.is_root())
    std::cout << (request.as_json ? to_json(report) + '\n' : to_text(report, request.tables));
  return ExitStatus::kDone;
}

data::Paths paths_of(const CommandLine& line) {
  data::Paths paths{.images = line.text("images").value_or(""),
                    .labels = line.text("labels").value_or(""),
                    .targets = line.text("targets").value_or(""),
                    .labels_file = line.text("labels-file").value_or(""),
                    .targets_file = line.text("targets-file").value_or("")};
  const bool has_one = paths.labels.empty() != paths.targets.empty();
  if (paths.images.empty() ? line.has("labels") || line.has("targets") || line.has("layout") : !has_one)
    throw ConfigError("--images goes with one of --labels and --targets (and --layout with --images)");
  const bool is_other = paths.labels.empty() ? !paths.labels_file.empty() : !paths.targets_file.empty();
  if ((!paths.images.empty() && is_other) || (!paths.labels_file.empty() && !paths.targets_file.empty()))
    throw ConfigError("--labels-file goes with --labels, --targets-file with --targets; leave one out");
  return paths;
}

}  // namespace

ExitStatus run_eval(const Arguments& arguments) {
  CommandLine line("eval", "[mpirun …] convoy eval --checkpoint F.h5 --data F.h5 [options]",
                   "Loss, accuracy and (over 5 classes) top-5 accuracy of a checkpoint on a data set; for "
                   "targets the errors.\n"
                   "Every sample is counted once; any number of ranks and threads prints the same numbers.");
  line.add_value("checkpoint", "F.h5", "a file of run.dir/checkpoints");
  line.add_value(
      "data", "F.h5",
      "a data set made by import or synth, or a file as the network was trained on (data.images): the "
      "run's data.file and data.test-file are read with their own labels");
  line.add_value("split", "NAME",
                 "train, test or validation; default the first of test, validation, train that the file has");
  line.add_value("images", "/PATH", "where in another HDF5 file the images lie (data.images)");
  line.add_value("labels", "/PATH", "with --images: where their classes lie");
  line.add_value("targets", "/PATH", "with --images: where their targets lie");
  line.add_value("labels-file", "F.h5", "a file in which the labels lie, if not in --data");
  line.add_value("targets-file", "F.h5", "likewise for targets");
  add_layout_option(line, "with --images");
  line.add_value("threads", "N", "threads of a rank; default 0: as train chooses them");
  line.add_flag("by-class",
                "print precision, recall, F1 and support of each class too; for targets the errors of "
                "each output");
  line.add_flag("confusion", "print the confusion matrix too");
  line.add_value("confusion-csv", "F.csv", "write the confusion matrix to a file");
  line.add_value(
      "predictions", "F.csv",
      "write a line per sample: its label, the prediction and its probability (targets and outputs)");
  line.add_flag("json", "print one JSON object with all figures instead");
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const EvalRequest request{.data = {.checkpoint = line.required_text("checkpoint"),
                                     .file = line.required_text("data"),
                                     .split = line.text("split").value_or(""),
                                     .paths = paths_of(line),
                                     .axes = layout_of(line)},
                            .threads = line.integer("threads", 0, 0, 4096),
                            .tables = {.by_class = line.has("by-class"), .confusion = line.has("confusion")},
                            .as_json = line.has("json"),
                            .predictions = line.text("predictions").value_or(""),
                            .confusion_csv = line.text("confusion-csv").value_or("")};
  return launch::run_with_ranks(
      "eval", [&](const comm::Communicator& world) { return evaluate_checkpoint(request, world); });
}

}  // namespace convoy::apps
