// convoy eval: computes loss and accuracy of a checkpoint on a data set.

#include <fmt/core.h>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <optional>

#include "command.hpp"
#include "command_line.hpp"
#include "convoy/comm/agreement.hpp"
#include "convoy/config/config.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/machine/placement.hpp"
#include "convoy/model/checkpoint.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/train/evaluation.hpp"
#include "convoy/train/observer.hpp"

namespace convoy::apps {
namespace {

struct EvalRequest {
  std::string checkpoint;
  std::string data;
  std::string split;
  data::Options paths;  // of a third-party file, if given on the command line
  std::int64_t threads = 0;
  bool wants_confusion = false;
};

constexpr std::int64_t kTop = 5;

void print_confusion(const train::Evaluation& result, std::int64_t classes,
                     const std::vector<std::string>& names) {
  const auto name = [&](std::int64_t k) {
    return static_cast<std::size_t>(k) < names.size() ? names[static_cast<std::size_t>(k)]
                                                      : std::to_string(k);
  };
  std::size_t width = 6;
  for (std::int64_t k = 0; k < classes; ++k) width = std::max(width, name(k).size() + 1);
  const auto column = static_cast<int>(width);
  std::cout << "confusion (row: label, column: answer)\n" << std::setw(column) << "";
  for (std::int64_t k = 0; k < classes; ++k) std::cout << std::setw(column) << name(k);
  std::cout << '\n';
  for (std::int64_t row = 0; row < classes; ++row) {
    std::cout << std::setw(column) << name(row);
    for (std::int64_t k = 0; k < classes; ++k)
      std::cout << std::setw(column) << result.confusion[static_cast<std::size_t>(row * classes + k)];
    std::cout << '\n';
  }
}

/// Throws DataError if the data set does not fit the trained network.
void require_same_input(const EvalRequest& request, const model::CheckpointHeader& header,
                        const data::Dataset& dataset, std::int64_t outputs) {
  const auto refuse = [&](const std::string& here, const std::string& there) {
    throw DataError(
        fmt::format("data set {} holds {}, but {} was trained on {}; name the data set it was made for",
                    request.data, here, request.checkpoint, there));
  };
  if (dataset.shape() != header.input.shape)
    refuse("images of " + to_string(dataset.shape()), to_string(header.input.shape));
  const double scale = dataset.transform(data::Normalize::kNone).scale;
  if (scale != header.input.scale)
    refuse(scale == 1 ? "float images" : "uint8 images", scale == 1 ? "uint8 ones" : "float ones");
  if (dataset.classes() > outputs) refuse(counted(dataset.classes(), "class"), std::to_string(outputs));
}

/// How to read --data: from the command line, else as in the run that wrote the checkpoint.
data::Options reading_of(const EvalRequest& request, const config::Options& trained) {
  data::Options options = request.paths.train.images.empty() ? trained.data : request.paths;
  options.file = request.data;
  options.verify = false;
  options.augment = {};
  if (!options.test_file.empty()) options.test_file = request.data;
  return options;
}

void print_score(const train::Evaluation& result, const data::Split& split, std::int64_t outputs) {
  const train::Score score =
      train::score_of(result.loss, result.correct, result.samples, split.target_size());
  if (score.is_error) {
    std::cout << "root of the mean squared error " << json_number(score.value) << '\n';
    return;
  }
  std::cout << "accuracy " << std::fixed << std::setprecision(4) << 100 * score.value << " % ("
            << grouped(result.correct) << " correct)\n";
  if (outputs > kTop) std::cout << "top-5 accuracy " << 100 * result.top5() << " %\n";
}

ExitStatus evaluate_checkpoint(const EvalRequest& request, const comm::Communicator& world) {
  comm::require_agreement(world, "build", step::build_digest(), step::kSameBuild);
  io::agreed_at_root(world, [&] { model::require_sound_checkpoint(request.checkpoint); });
  model::CheckpointHeader header;
  io::agreed(world, [&] { header = model::read_checkpoint_header(request.checkpoint); });
  const config::Options options = config::from_checkpoint(header.config, request.checkpoint);

  const data::Dataset dataset(reading_of(request, options), world, {request.split});
  const data::Split* split = dataset.split(request.split);
  if (split == nullptr || split->samples() == 0) {
    throw DataError(
        fmt::format("data set {} has no samples in split '{}' (--split); 'convoy inspect' shows its splits",
                    request.data, request.split));
  }
  const nn::Network network(header.input.shape, options.layers, options.loss, std::nullopt);
  require_same_input(request, header, dataset, network.classes());
  (void)train::outputs_for(dataset, options);
  if (request.wants_confusion && dataset.has_targets())
    throw ConfigError("--confusion needs classes (" + request.data + " holds targets); leave it out");
  model::State state = model::make_state(network);
  io::agreed(world, [&] { model::read_checkpoint_state(request.checkpoint, network, state); });

  step::Engine engine(network,
                      {.kernels = kernels::float_kernels(step::lowest_isa(world, kernels::choose_isa())),
                       .threads = machine::resolve_threads(request.threads),
                       .micro_batch = options.micro_batch,
                       .precision = options.precision});
  const std::int64_t classes = network.classes();
  io::IoThread io_thread;
  const train::Evaluation result = train::evaluate(engine, world, {.split = split, .transform = header.input},
                                                   state, &io_thread, request.wants_confusion ? classes : 0);
  if (!world.is_root()) return ExitStatus::kDone;
  std::cout << request.checkpoint << " on " << request.data << ", split " << request.split << ", "
            << counted(result.samples, "sample") << '\n'
            << "loss " << json_number(result.loss) << '\n';
  print_score(result, *split, classes);
  if (request.wants_confusion) print_confusion(result, classes, dataset.class_names());
  return ExitStatus::kDone;
}

std::string axes_in_words() {
  const auto& names = data::axes_names();
  return join(std::vector<std::string>(names.begin(), names.end()), ", ");
}

data::Options paths_of(const CommandLine& line) {
  data::Options paths{.train = {.images = line.text("images").value_or(""),
                                .labels = line.text("labels").value_or(""),
                                .targets = line.text("targets").value_or("")}};
  const auto& names = data::axes_names();
  const auto axes = std::ranges::find(names, line.text("layout").value_or(std::string(names.front())));
  if (axes == names.end())
    throw ConfigError("--layout " + *line.text("layout") + " is not one of " + axes_in_words());
  paths.axes = static_cast<data::Axes>(axes - names.begin());
  const bool has_one = paths.train.labels.empty() != paths.train.targets.empty();
  if (paths.train.images.empty() ? line.has("labels") || line.has("targets") || line.has("layout") : !has_one)
    throw ConfigError("--images goes with one of --labels and --targets (and --layout with --images)");
  return paths;
}

}  // namespace

ExitStatus run_eval(const Arguments& arguments) {
  CommandLine line("eval", "[mpirun …] convoy eval --checkpoint F.h5 --data F.h5 [options]",
                   "Loss, accuracy and (over 5 classes) top-5 accuracy of a checkpoint on a data set.\n"
                   "Every sample is counted once; any number of ranks and threads prints the same numbers.");
  line.add_value("checkpoint", "F.h5", "a file of run.dir/checkpoints");
  line.add_value("data", "F.h5",
                 "a data set made by import or synth, or a file as the network was trained on (data.images)");
  line.add_value("split", "NAME", "train, test or validation; default test, with --images train");
  line.add_value("images", "/PATH", "where in another HDF5 file the images lie (data.images)");
  line.add_value("labels", "/PATH", "with --images: where their classes lie");
  line.add_value("targets", "/PATH", "with --images: where their targets lie");
  line.add_value("layout", "NAME", "with --images: " + axes_in_words() + "; default the first");
  line.add_value("threads", "N", "threads of a rank; default 0: as train chooses them");
  line.add_flag("confusion", "print the confusion matrix too");
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const EvalRequest request{.checkpoint = line.required_text("checkpoint"),
                            .data = line.required_text("data"),
                            .split = line.text("split").value_or(line.has("images") ? "train" : "test"),
                            .paths = paths_of(line),
                            .threads = line.integer("threads", 0, 0, 4096),
                            .wants_confusion = line.has("confusion")};
  return launch::run_with_ranks(
      "eval", [&](const comm::Communicator& world) { return evaluate_checkpoint(request, world); });
}

}  // namespace convoy::apps
