#include "preflight.hpp"

#include "convoy/samples/names.hpp"
#include "convoy/train/same_run.hpp"

#include <fmt/core.h>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::train {

const data::Split& training_split(const data::Dataset& dataset, const std::string& file) {
  const data::Split* split = dataset.split("train");
  if (split == nullptr || split->samples() == 0)
    throw DataError("data set " + file +
                    " has no training samples (group /train); import or synth makes them");
  return *split;
}

step::Source training_source(const data::Dataset& dataset, const data::Options& options) {
  return {.split = &training_split(dataset, options.file),
          .transform = dataset.transform(options.normalize),
          .augmentation = options.augment};
}

std::vector<std::string> start_warnings(const config::Options& options, const data::Dataset& dataset,
                                        const std::vector<machine::Placement>& placements) {
  std::vector<std::string> warnings = dataset.warnings();
  const data::Split& train = training_split(dataset, options.data.file);
  if (train.is_streamed() && options.data.shuffle && options.data.order == data::Order::kFull &&
      train.samples() * train.image_bytes() > options.data.window_bytes)
    warnings.emplace_back(
        "images are read while they are trained, in data.order = full, which reads a chunk of the file for "
        "a "
        "few samples of it, so most chunks many times an epoch; data.order = chunks reads each once");
  for (const Problem& problem : machine::placement_problems(placements)) warnings.push_back(problem.text());
  if (options.comm.reduction == comm::Reduction::kMpi && placements.size() > 1)
    warnings.emplace_back(
        "comm.reduction = mpi: MPI adds gradients in an order of its own, so that other rank counts, and "
        "other MPI libraries, end with other bits; comm.reduction = tree keeps them");
  return warnings;
}

std::string describe_data(const std::string& file, const data::Dataset& dataset) {
  const data::Split* evaluated = dataset.split(data::names::kEvaluated);
  return fmt::format(
      "{}: {}, {}, {}, images {}, {}{}", file,
      counted(training_split(dataset, file).samples(), "training sample"),
      counted(
          evaluated != nullptr ? evaluated->samples() : 0,
          evaluated != nullptr && evaluated->name() == "validation" ? "validation sample" : "test sample"),
      dataset.has_targets() ? counted(dataset.classes(), "number") + " a target"
                            : counted(dataset.classes(), "class"),
      to_string(dataset.shape()), dataset.storage(),
      training_split(dataset, file).is_streamed() ? ", read while they are trained" : ", in memory");
}

}  // namespace convoy::train
