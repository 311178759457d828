// convoy bench: measures the peak of the machine, and the speed of a configuration's layers and steps.

#include <fmt/core.h>

#include <iostream>

#include "bench_comm.hpp"
#include "command.hpp"
#include "convoy/command_line/command_line.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/launch/launcher.hpp"
#include "convoy/machine/placement.hpp"
#include "convoy/measure/bench_report.hpp"
#include "convoy/predict/inference_speed.hpp"
#include "random_images.hpp"

namespace convoy::apps {
namespace {

constexpr std::int64_t kMilliseconds = 100;
struct BenchRequest {
  Images images;
  std::string json;  ///< file name; empty: none
  double seconds = 0;
};

void refuse_several_processes() {
  if (launch::launched_processes() <= 1) return;
  throw ConfigError("the launcher started " + counted(launch::launched_processes(), "process") +
                    ", which would measure each other (bench is about one process); start one, and set "
                    "run.threads");
}

ExitStatus bench_inference(const config::Options& options, const BenchRequest& request) {
  const predict::InferenceSetting setting{.isa = kernels::choose_isa(),
                                          .threads = machine::resolve_threads(options.threads),
                                          .precision = options.precision,
                                          .seconds = request.seconds};
  const auto times = predict::measure_inference(network_for(request.images, options), setting);
  std::cout << to_text(times, setting);
  if (!request.json.empty()) io::write_text_file(request.json, to_json(times, setting));
  return ExitStatus::kDone;
}

ExitStatus bench(const config::Options& options, const BenchRequest& request) {
  const Images& images = request.images;
  const nn::Network network = network_for(images, options);
  const kernels::Isa isa = kernels::choose_isa();
  const int threads = machine::resolve_threads(options.threads);
  for (const Problem& problem :
       machine::placement_problems(machine::gather_placements(comm::Communicator::self(), threads)))
    std::cerr << "convoy bench: warning: " << problem.text() << std::endl;

  const measure::BenchmarkSetting setting{
      .kernels = kernels::float_kernels(isa), .threads = threads, .seconds = request.seconds};
  measure::BenchReport report{
      .isa = isa,
      .threads = threads,
      .teams = measure::teams_of(options, threads),
      .batch = options.batch,
      .micro_batch = options.micro_batch,
      .images = fmt::format("{} (random, {})", to_string(images.shape), images.origin),
      .core = {},
      .all = {},
      .layers = {},
      .step = {}};
  report.core = measure::measure_ceiling(setting.kernels, 1, setting.seconds);
  report.all =
      threads == 1 ? report.core : measure::measure_ceiling(setting.kernels, threads, setting.seconds);
  std::cout << describe_machine(report) << std::flush;
  report.layers = measure::measure_layers(network, options, setting);
  std::cout << describe_layers(report) << std::flush;
  report.step = measure::measure_steps(comm::Communicator::self(), network, options, setting);
  std::cout << describe_step(report);
  if (!request.json.empty()) io::write_text_file(request.json, to_json(report));
  return ExitStatus::kDone;
}

}  // namespace

ExitStatus run_bench(const Arguments& arguments) {
  CommandLine line(
      "bench",
      "convoy bench --config FILE [options]\n       mpirun … convoy bench comm --config FILE [options]",
      "Measures the machine (FMA peak, memory bandwidth), every layer of a configuration's network "
      "(forward,\n"
      "diff_src, diff_weights) and the whole step, on random images: one process, run.threads threads, no\n"
      "MPI. `bench comm` measures the ranks it is started on: latency and bandwidth between nodes, and what\n"
      "the network's gradient takes to be added over all ranks, each way (comm.*), beside MPI_Allreduce.\n"
      "data.file need not be there, nothing is written but --json.");
  add_images(line);
  line.add_value(
      "milliseconds", "N",
      fmt::format(
          "time for one measurement, at least, 1 to 60,000; default {}. The steps get ten times as much",
          kMilliseconds));
  line.add_value("json", "FILE", "write all figures there too");
  line.add_flag("inference",
                "instead: images/s of the trained network's answers, for 1, 16 and 64 images at a time");
  line.add_value("gbit", "R", "comm: what the wire of a node carries, Gbit/s; default: as measured");
  line.add_configuration();
  line.expect_words(0, 1);
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const double seconds = static_cast<double>(line.integer("milliseconds", kMilliseconds, 1, 60'000)) / 1e3;
  const std::string json = line.text("json").value_or("");
  const config::Options options = line.configuration(config::For::kTrial);
  const Images images = choose_images(line, options.data);
  if (line.words().empty()) {
    if (line.has("gbit")) throw ConfigError("--gbit is for bench comm; leave it out");
    refuse_several_processes();
    io::require_folder_of(json);
    const BenchRequest request{.images = images, .json = json, .seconds = seconds};
    return line.has("inference") ? bench_inference(options, request) : bench(options, request);
  }
  if (line.words().front() != "comm")
    throw ConfigError("stray word '" + line.words().front() + "'; bench takes none, or comm");
  const double gbit = line.number("gbit", 0, 1e-6, 1e6);
  return bench_comm(options, images,
                    {.seconds = seconds, .wire_bytes_per_second = gbit * 1e9 / 8, .json = json});
}

}  // namespace convoy::apps
