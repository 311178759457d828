// convoy eval: loss and accuracy of a checkpoint on a data set.

#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <optional>

#include "convoy/apps/command.hpp"
#include "convoy/apps/command_line.hpp"
#include "convoy/apps/ranks.hpp"
#include "convoy/comm/agreement.hpp"
#include "convoy/config/config.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/agreement.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/train/agreement.hpp"
#include "convoy/train/checkpoint.hpp"
#include "convoy/train/evaluation.hpp"
#include "convoy/train/placement.hpp"

namespace convoy::apps {
namespace {

struct Request {
  std::string checkpoint;
  std::string data;
  std::string split;
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

/// Throws DataError where the data set cannot be what the network was trained for.
void require_same_input(const Request& request, const train::CheckpointHeader& header,
                        const data::Dataset& dataset, std::int64_t outputs) {
  const auto refuse = [&](const std::string& here, const std::string& there) {
    throw DataError("data set " + request.data + " holds " + here + ", but " + request.checkpoint +
                    " was trained on " + there + "; name the data set it was made for");
  };
  if (dataset.shape() != header.input.shape)
    refuse("pictures of " + to_string(dataset.shape()), to_string(header.input.shape));
  const double scale = dataset.transform(data::Normalize::kNone).scale;
  if (scale != header.input.scale)
    refuse(scale == 1 ? "float pictures" : "uint8 pictures", scale == 1 ? "uint8 ones" : "float ones");
  if (dataset.classes() > outputs) refuse(counted(dataset.classes(), "class"), std::to_string(outputs));
}

ExitStatus evaluate_checkpoint(const Request& request, const comm::Communicator& world) {
  comm::require_agreement(world, "build", train::build_digest(), train::kSameBuild);
  io::agreed_at_root(world, [&] { train::require_sound_checkpoint(request.checkpoint); });
  train::CheckpointHeader header;
  io::agreed(world, [&] { header = train::read_checkpoint_header(request.checkpoint); });
  const train::Options options = config::from_checkpoint(header.config, request.checkpoint);

  const data::Dataset dataset(request.data, world, {request.split});
  const data::Split* split = dataset.split(request.split);
  if (split == nullptr || split->samples() == 0) {
    throw DataError("data set " + request.data + " has no samples in split '" + request.split +
                    "' (--split); 'convoy inspect' shows its splits");
  }
  const nn::Network network(header.input.shape, options.layers, options.loss, std::nullopt);
  require_same_input(request, header, dataset, network.classes());
  train::State state = train::make_state(network, 0);
  io::agreed(world, [&] { train::read_checkpoint_state(request.checkpoint, network, state); });

  train::Engine engine(network, kernels::float_kernels(train::lowest_isa(world, kernels::choose_isa())),
                       train::resolve_threads(request.threads), options.micro_batch, options.precision);
  const std::int64_t classes = network.classes();
  const train::Evaluation result =
      train::evaluate(engine, world, {split, header.input}, state, request.wants_confusion ? classes : 0);
  if (!world.is_root()) return ExitStatus::kDone;
  std::cout << request.checkpoint << " on " << request.data << ", split " << request.split << ", "
            << counted(result.samples, "sample") << '\n'
            << "loss " << json_number(result.loss) << '\n'
            << "accuracy " << std::fixed << std::setprecision(4) << 100 * result.accuracy() << " % ("
            << grouped(result.correct) << " correct)\n";
  if (classes > kTop) std::cout << "top-5 accuracy " << 100 * result.top5() << " %\n";
  if (request.wants_confusion) print_confusion(result, classes, dataset.class_names());
  return ExitStatus::kDone;
}

}  // namespace

ExitStatus run_eval(const Arguments& arguments) {
  CommandLine line("eval", "[mpirun …] convoy eval --checkpoint F.h5 --data F.h5 [options]",
                   "Loss, accuracy and (over 5 classes) top-5 accuracy of a checkpoint on a data set.\n"
                   "Every sample is counted once; any number of ranks and threads prints the same numbers.");
  line.add_value("checkpoint", "F.h5", "a file of run.dir/checkpoints");
  line.add_value("data", "F.h5", "a data set made by import or synth");
  line.add_value("split", "NAME", "train, test or validation; default test");
  line.add_value("threads", "N", "threads of a rank; default 0: as train chooses them");
  line.add_flag("confusion", "print the confusion matrix too");
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const Request request{.checkpoint = line.required_text("checkpoint"),
                        .data = line.required_text("data"),
                        .split = line.text("split").value_or("test"),
                        .threads = line.integer("threads", 0, 0, 4096),
                        .wants_confusion = line.has("confusion")};
  return run_with_ranks("eval",
                        [&](const comm::Communicator& world) { return evaluate_checkpoint(request, world); });
}

}  // namespace convoy::apps
