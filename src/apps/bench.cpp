// convoy bench: what the machine can do, and what a configuration's layers and steps make of it.

#include <iostream>
#include <optional>

#include "convoy/apps/bench_report.hpp"
#include "convoy/apps/command.hpp"
#include "convoy/apps/command_line.hpp"
#include "convoy/apps/ranks.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/train/placement.hpp"

namespace convoy::apps {
namespace {

constexpr std::int64_t kMilliseconds = 100;
constexpr std::int64_t kMostExtent = 65535;
constexpr Shape kUsualPicture{3, 32, 32};

struct Request {
  std::optional<Shape> shape;
  std::optional<std::int64_t> classes;
  std::string json;  ///< empty: none
  double seconds = 0;
};

struct Pictures {
  Shape shape;
  std::optional<std::int64_t> classes;  ///< nothing: as many as the network has outputs
  std::string origin;
};

/// What the command line says, else the data set, else CIFAR's shape.
Pictures choose_pictures(const Request& request, const std::string& file) {
  const bool has_file = io::exists(file);
  if (request.shape && (request.classes || !has_file))
    return {*request.shape, request.classes, "as --shape says"};
  if (!has_file)
    return {kUsualPicture, request.classes, "data.file " + file + " is not there, --shape names another"};
  const data::Dataset dataset(file, comm::Communicator::self(), {});
  return {request.shape.value_or(dataset.shape()), request.classes.value_or(dataset.classes()),
          request.shape ? "as --shape says" : "as in " + file};
}

void refuse_several_processes() {
  if (launched_processes() <= 1) return;
  throw ConfigError("the launcher started " + counted(launched_processes(), "process") +
                    ", which would measure each other (bench is about one process); start one, and set "
                    "run.threads");
}

/// Before minutes of measuring, not after.
void require_folder_of(const std::string& file) {
  const std::string folder = io::folder_of(file);
  if (!io::is_folder(folder))
    throw IoError("cannot write " + file + " (there is no folder " + folder + "); make it first (--json)");
}

ExitStatus bench(const train::Options& options, const Request& request) {
  refuse_several_processes();
  if (!request.json.empty()) require_folder_of(request.json);
  const Pictures pictures = choose_pictures(request, options.data.file);
  const nn::Network network(pictures.shape, options.layers, options.loss, pictures.classes);
  const kernels::Isa isa = kernels::choose_isa();
  const int threads = train::resolve_threads(options.threads);
  for (const std::string& warning :
       train::placement_warnings(train::gather_placements(comm::Communicator::self(), threads)))
    std::cerr << "convoy bench: warning: " << warning << std::endl;

  const train::BenchmarkSetting setting{
      .kernels = kernels::float_kernels(isa), .threads = threads, .seconds = request.seconds};
  BenchReport report{.isa = isa,
                     .threads = threads,
                     .teams = train::teams_of(options, threads),
                     .batch = options.batch,
                     .micro_batch = options.micro_batch,
                     .pictures = to_string(pictures.shape) + " (random, " + pictures.origin + ')',
                     .core = {},
                     .all = {},
                     .layers = {},
                     .step = {}};
  report.core = train::measure_ceiling(setting.kernels, 1, setting.seconds);
  report.all = threads == 1 ? report.core : train::measure_ceiling(setting.kernels, threads, setting.seconds);
  std::cout << describe_machine(report) << std::flush;
  report.layers = train::measure_layers(network, options, setting);
  std::cout << describe_layers(report) << std::flush;
  report.step = train::measure_steps(network, options, setting);
  std::cout << describe_step(report) << std::flush;
  if (!request.json.empty()) io::write_text_file(request.json, to_json(report));
  return ExitStatus::kDone;
}

}  // namespace

ExitStatus run_bench(const Arguments& arguments) {
  CommandLine line(
      "bench", "convoy bench --config FILE [options]",
      "Measures the machine (FMA peak, memory bandwidth), every layer of a configuration's network "
      "(forward,\n"
      "diff_src, diff_weights) and the whole step, on random pictures. One process, run.threads threads, no\n"
      "MPI; data.file need not be there, nothing is written but --json.");
  line.add_value("shape", "CxHxW",
                 "pictures; default: data.file's if it is there, else " + to_string(kUsualPicture));
  line.add_value("classes", "K",
                 "outputs the network must have; default: data.file's if it is there, else its last layer's");
  line.add_value("milliseconds", "N",
                 "time for one measurement, at least, 1 to 60,000; default " + std::to_string(kMilliseconds) +
                     ". The steps get ten times as much");
  line.add_value("json", "FILE", "write all figures there too");
  line.add_configuration();
  if (!line.parse(arguments)) return ExitStatus::kDone;
  Request request{
      .shape = line.shape("shape", kMostExtent),
      .classes = std::nullopt,
      .json = line.text("json").value_or(""),
      .seconds = static_cast<double>(line.integer("milliseconds", kMilliseconds, 1, 60'000)) / 1e3};
  if (line.has("classes")) request.classes = line.integer("classes", 1, 1, 1 << 24);
  return bench(line.configuration(), request);
}

}  // namespace convoy::apps
