#include "setup.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <numeric>

#include "convoy/core/error.hpp"
#include "convoy/core/median.hpp"
#include "convoy/core/text.hpp"
#include "convoy/nn/operations.hpp"

namespace convoy::train {

double median_step(const comm::Communicator& world, double seconds, const std::function<void()>& step) {
  using Clock = std::chrono::steady_clock;
  constexpr int kFewestSteps = 5;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  std::vector<double> laps;
  const Clock::time_point begin = Clock::now();
  do {  // whether to go on is asked now and then only: the question is a collective of its own
    Clock::time_point start = Clock::now();
    for (int i = 0; i < kFewestSteps; ++i) {
      step();
      laps.push_back(since(start));
      start = Clock::now();
    }
  } while (world.broadcast_value(since(begin) < seconds));
  return world.broadcast_value(median(laps));
}

void check_ranks(const Options& options, int ranks) {
  const std::int64_t leaves = ceil_div(options.batch, options.micro_batch);
  if (ranks <= leaves) return;
  const std::string would_do =
      ranks <= options.batch
          ? "train.micro-batch = " + std::to_string((options.batch - 1) / (ranks - 1)) + " or less would do"
          : "at most " + std::to_string(options.batch) + " ranks can share a batch of " +
                std::to_string(options.batch);
  throw ConfigError("there are more ranks than micro-batches (" + std::to_string(ranks) +
                    " ranks; train.batch = " + std::to_string(options.batch) + " in micro-batches of " +
                    std::to_string(options.micro_batch) + " makes " + std::to_string(leaves) + "); " +
                    would_do + ", or start fewer ranks");
}

const data::Split& training_split(const data::Dataset& dataset, const std::string& file) {
  const data::Split* split = dataset.split("train");
  if (split == nullptr || split->samples() == 0)
    throw DataError("data set " + file +
                    " has no training samples (group /train); import or synth makes them");
  return *split;
}

std::vector<std::string> start_warnings(const Options& options, const data::Dataset& dataset,
                                        const std::vector<Placement>& placements) {
  std::vector<std::string> warnings = dataset.warnings();
  const data::Split& train = training_split(dataset, options.data.file);
  if (train.is_streamed() && options.data.shuffle && options.data.order == data::Order::kFull &&
      train.samples() * train.picture_bytes() > options.data.window_bytes)
    warnings.emplace_back(
        "pictures are read while they are trained, in data.order = full, which reads a chunk of the file for "
        "a "
        "few samples of it, so most chunks many times an epoch; data.order = chunks reads each once");
  for (std::string& warning : placement_warnings(placements)) warnings.push_back(std::move(warning));
  if (options.comm.reduction == comm::Reduction::kMpi && placements.size() > 1)
    warnings.emplace_back(
        "comm.reduction = mpi: MPI adds gradients in an order of its own, so that other rank counts, and "
        "other MPI libraries, end with other bits; comm.reduction = tree keeps them");
  return warnings;
}

std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  return statm >> total >> resident ? resident * sysconf(_SC_PAGESIZE) : 0;
}

std::string describe_data(const std::string& file, const data::Dataset& dataset) {
  const data::Split* test = dataset.split("test");
  return file + ": " + counted(training_split(dataset, file).samples(), "training sample") + ", " +
         counted(test != nullptr ? test->samples() : 0, "test sample") + ", " +
         (dataset.has_targets() ? counted(dataset.classes(), "number") + " a target"
                                : counted(dataset.classes(), "class")) +
         ", pictures " + to_string(dataset.shape()) + ", " + dataset.storage() +
         (training_split(dataset, file).is_streamed() ? ", read while they are trained" : ", in memory");
}

}  // namespace convoy::train
