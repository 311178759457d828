// convoy scaling: predicts the speed of a configuration on more ranks from local measurements.

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <optional>

#include "command.hpp"
#include "convoy/comm/link.hpp"
#include "convoy/command_line/command_line.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/io/json.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/machine/placement.hpp"
#include "convoy/measure/scaling.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/consistency.hpp"
#include "random_images.hpp"

namespace convoy::apps {
namespace {

using measure::Job;
using measure::Prediction;

constexpr std::int64_t kMostRanks = 4096;
constexpr double kGoodEfficiency = 0.75;

struct ScalingRequest {
  Images images;
  std::int64_t ranks_a_host = 1;
  std::optional<double> latency;  ///< seconds; no value: as measured
  std::optional<double> rate;     ///< bytes per second
  double seconds = 0;             ///< of one measurement
  bool with_kernels = false;      ///< also check steps with real computation
  std::string json;
};

struct Row {
  Job job;
  Prediction prediction;
  double images = 0;      ///< per second
  double efficiency = 0;  ///< images per second and rank, divided by images per second of one rank
};

class Scaling {
 public:
  Scaling(const config::Options& options, const ScalingRequest& request, const comm::Communicator& world)
      : options_(options),
        request_(request),
        world_(world),
        network_(network_for(request.images, options)),
        kernels_(kernels::float_kernels(step::agreed_isa(world, kernels::choose_isa()))),
        threads_(machine::resolve_threads(options.threads)),
        leaves_(step::BatchPlan(options).micro_batches()) {}

  ExitStatus run() {
    measure();
    strong_ = table(false);
    weak_ = table(true);
    if (world_.is_root()) {
      std::cout << describe_costs()
                << describe_table("Strong scaling: batch " + grouped(options_.batch), strong_)
                << describe_end()
                << describe_table("Weak scaling: a batch of " + grouped(options_.batch) + " a rank", weak_)
                << recommend() << std::flush;
    }
    const bool is_network_here = !request_.latency && !request_.rate;
    if (world_.size() > 1 && world_.size() <= leaves_ && is_network_here) check();
    if (request_.with_kernels && world_.size() <= leaves_) check_with_kernels(is_network_here);
    if (world_.is_root() && !request_.json.empty()) io::write_text_file(request_.json, to_json());
    return ExitStatus::kDone;
  }

 private:
  /// Sleeps until rank 0 arrives, because ranks may share cores.
  void wait_for_root() const {
    const int mine = 0;
    std::vector<int> all(static_cast<std::size_t>(world_.size()));
    world_.all_gather_equal<int>(std::span<const int>(&mine, 1), all, [] {});
  }

  /// Only rank 0 computes.
  void measure() {
    if (world_.is_root()) {
      costs_ = measure::measure_costs(
          network_, options_, {.kernels = kernels_, .threads = threads_, .seconds = request_.seconds});
      if (threads_ > 1)
        one_thread_ =
            measure::measure_micro_batch(network_, options_,
                                         {.kernels = kernels_, .threads = 1, .seconds = request_.seconds})
                .sum();
    } else {
      costs_.micro_batch = measure::no_computation(network_);
    }
    wait_for_root();
    for (std::vector<double>* times : {&costs_.micro_batch.forward, &costs_.micro_batch.backward})
      world_.broadcast(std::as_writable_bytes(std::span(*times)));
    costs_.add = world_.broadcast_value(costs_.add);
    costs_.update = world_.broadcast_value(costs_.update);
    costs_.link = comm::measure_link(world_, request_.seconds);
    if (request_.latency) costs_.link.latency = *request_.latency;
    if (request_.rate) costs_.link.bytes_per_second = *request_.rate;
  }

  [[nodiscard]] std::vector<Row> table(bool is_weak) const {
    std::vector<Row> rows;
    for (std::int64_t ranks = 1; ranks <= kMostRanks; ranks *= 2) {
      if (!is_weak && ranks > leaves_) break;
      Row row{.job = {.ranks = ranks,
                      .ranks_a_host = std::min(ranks, request_.ranks_a_host),
                      .threads = threads_,
                      .leaves = is_weak ? leaves_ * ranks : leaves_},
              .prediction = {}};
      row.prediction = measure::predict(network_, options_, costs_, row.job);
      const std::int64_t images = is_weak ? options_.batch * ranks : options_.batch;
      row.images = static_cast<double>(images) / row.prediction.step;
      row.efficiency = rows.empty() ? 1 : row.images / (static_cast<double>(ranks) * rows.front().images);
      rows.push_back(row);
    }
    return rows;
  }

  [[nodiscard]] std::string describe_costs() const {
    const comm::Link& link = costs_.link;
    const auto gradient_bytes = network_.gradient_size() * static_cast<std::int64_t>(sizeof(float));
    return fmt::format(
               "Measured: kernels {}, {} a rank, a micro-batch of {} in {:.3f} ms on one of them, images "
               "{}\n",
               kernels::to_string(kernels_.isa), counted(threads_, "thread"), options_.micro_batch,
               1e3 * costs_.micro_batch.sum(), to_string(request_.images.shape)) +
           fmt::format("Network between {}: {:.1f} us, {:.2f} us a message more, {:.3f} GB/s each way{}\n",
                       counted(link.hosts, "node"), 1e6 * link.latency, 1e6 * link.gap,
                       link.bytes_per_second / 1e9,
                       request_.latency || request_.rate ? " (as given)"
                       : link.hosts == 1                 ? " (within one node)"
                                                         : "") +
           fmt::format("Gradient: {}, buckets of {}, {} a node\n", in_bytes(gradient_bytes),
                       in_bytes(options_.comm.bucket_bytes), counted(request_.ranks_a_host, "rank"));
  }

  static std::string describe_table(const std::string& title, const std::vector<Row>& rows) {
    std::string text = title + '\n' +
                       fmt::format("{:>7}{:>7}{:>14}{:>8}{:>12}{:>12}{:>12}{:>10}{:>14}{:>12}\n", "ranks",
                                   "nodes", "micro-batches", "f", "step ms", "compute ms", "exposed ms",
                                   "of it", "images/s", "efficiency");
    for (const Row& row : rows) {
      const Prediction& its = row.prediction;
      text +=
          fmt::format("{:7}{:7}{:>14.2f}{:>8.2f}{:>12.3f}{:>12.3f}{:>12.3f}{:>8.1f} %{:>14.0f}{:>10.1f} %\n",
                      row.job.ranks, row.job.hosts(),
                      static_cast<double>(row.job.leaves) / static_cast<double>(row.job.ranks),
                      its.partial_sums, 1e3 * its.step, 1e3 * its.compute, 1e3 * its.exposed(),
                      100 * its.exposed() / its.step, row.images, 100 * row.efficiency);
    }
    return text;
  }

  [[nodiscard]] std::string describe_end() const {
    if (leaves_ >= kMostRanks) return {};
    return fmt::format(
        "  more ranks would have no micro-batch: {} a step; a smaller train.micro-batch or a larger "
        "train.batch allows them\n",
        counted(leaves_, "micro-batch"));
  }

  [[nodiscard]] std::string recommend() const {
    const auto last_good = [](const std::vector<Row>& rows) {
      const Row* best = &rows.front();
      for (const Row& row : rows)
        if (row.efficiency >= kGoodEfficiency) best = &row;
      return *best;
    };
    const Row strong = last_good(strong_);
    std::string text =
        fmt::format("Recommended for this batch: {} x {} on {} ({:.0f} images/s, efficiency {:.0f} %); ",
                    counted(strong.job.ranks, "rank"), counted(threads_, "thread"),
                    counted(strong.job.hosts(), "node"), strong.images, 100 * strong.efficiency) +
        (strong.job.ranks == strong_.back().job.ranks
             ? "for more ranks, more micro-batches\n"
             : fmt::format("more ranks stay below {:.0f} %\n", 100 * kGoodEfficiency));
    if (one_thread_ > 0) {
      const double kept = one_thread_ / costs_.micro_batch.sum();
      text += fmt::format(
          "Threads: {} of them, each with its micro-batch, keep {:.0f} % of the speed of one alone: {}\n",
          threads_, 100 * kept,
          kept >= kGoodEfficiency ? "one rank for these cores will do"
                                  : "they wait for memory; more ranks on these cores would not help");
    }
    return text;
  }

  /// Compares the model with steps whose communication is real and whose computation is a wait of the
  /// measured length, one thread per rank.
  void check() {
    config::Options options = options_;
    const Job job{.ranks = world_.size(), .ranks_a_host = ranks_a_host(), .threads = 1, .leaves = leaves_};
    const double alone =
        measure::replay_communication(world_, network_, options, kernels_, measure::no_computation(network_),
                                      measure::CommReplayKind::kSumAlone, request_.seconds);
    std::string text = fmt::format("Checked on {} on {}, computation replaced by waits, 1 thread a rank:\n",
                                   counted(world_.size(), "rank"), counted(costs_.link.hosts, "node")) +
                       fmt::format("{:>14}{:>16}{:>16}{:>12}{:>22}\n", "", "predicted ms", "measured ms",
                                   "error", "communication hidden");
    double with_overlap = 0;
    for (const bool overlap : {true, false}) {
      options.comm.overlap = overlap;
      const Prediction predicted = measure::predict(network_, options, costs_, job);
      const double measured =
          measure::replay_communication(world_, network_, options, kernels_, costs_.micro_batch,
                                        measure::CommReplayKind::kTraining, request_.seconds);
      const double compute = predicted.compute;
      text +=
          fmt::format("{:>14}{:>16.3f}{:>16.3f}{:>10.1f} %{:>20.1f} %\n", overlap ? "overlap" : "no overlap",
                      1e3 * predicted.step, 1e3 * measured, 100 * (predicted.step / measured - 1),
                      100 * std::clamp(1 - (measured - compute) / alone, 0.0, 1.0));
      checks_.push_back({world_.size(), false, overlap, predicted.step, measured});
      if (overlap) with_overlap = measured;
    }
    text += fmt::format("  communication alone: {:.3f} ms; overlap takes {:.2f} of the time without\n",
                        1e3 * alone, with_overlap / checks_.back().measured);
    if (world_.is_root()) std::cout << text << std::flush;
  }

  /// Compares the model with whole steps on random images: of rank 0 alone, then of all ranks.
  void check_with_kernels(bool is_network_here) {
    const measure::BenchmarkSetting setting{
        .kernels = kernels_, .threads = threads_, .seconds = request_.seconds / 5};
    std::string text = fmt::format(
        "Checked with computation, {} a rank:\n"
        "{:>14}{:>16}{:>16}{:>12}\n",
        counted(threads_, "thread"), "ranks", "predicted ms", "measured ms", "error");
    const auto check = [&](const comm::Communicator& ranks, std::int64_t ranks_a_host) {
      const Job job{
          .ranks = ranks.size(), .ranks_a_host = ranks_a_host, .threads = threads_, .leaves = leaves_};
      const double predicted = measure::predict(network_, options_, costs_, job).step;
      const double measured = measure::measure_steps(ranks, network_, options_, setting).seconds;
      text += fmt::format("{:14}{:>16.3f}{:>16.3f}{:>10.1f} %\n", ranks.size(), 1e3 * predicted,
                          1e3 * measured, 100 * (predicted / measured - 1));
      checks_.push_back({ranks.size(), true, options_.comm.overlap, predicted, measured});
    };
    if (world_.is_root()) check(comm::Communicator::self(), 1);
    wait_for_root();
    if (world_.size() > 1 && is_network_here) check(world_, ranks_a_host());
    if (world_.is_root()) std::cout << text << std::flush;
  }

  [[nodiscard]] std::int64_t ranks_a_host() const {
    return (world_.size() + costs_.link.hosts - 1) / costs_.link.hosts;
  }

  [[nodiscard]] std::string to_json() const {
    const auto json_rows = [](const std::vector<Row>& rows) {
      io::Json all = io::Json::array();
      for (const Row& row : rows) {
        all.push_back({{"ranks", row.job.ranks},
                       {"hosts", row.job.hosts()},
                       {"micro_batches", row.job.leaves},
                       {"partial_sums", row.prediction.partial_sums},
                       {"seconds", row.prediction.step},
                       {"compute_seconds", row.prediction.compute},
                       {"communication_seconds", row.prediction.communication},
                       {"images_per_second", row.images},
                       {"efficiency", row.efficiency}});
      }
      return all;
    };
    io::Json checks = io::Json::array();
    for (const Check& each : checks_) {
      checks.push_back({{"ranks", each.ranks},
                        {"computed", each.is_computed},
                        {"overlap", each.overlap},
                        {"predicted_seconds", each.predicted},
                        {"measured_seconds", each.measured}});
    }
    return io::to_text({{"threads", threads_},
                        {"latency_seconds", costs_.link.latency},
                        {"gap_seconds", costs_.link.gap},
                        {"bytes_per_second", costs_.link.bytes_per_second},
                        {"strong", json_rows(strong_)},
                        {"weak", json_rows(weak_)},
                        {"checks", checks}}) +
           '\n';
  }

  struct Check {
    std::int64_t ranks = 1;
    bool is_computed = false;  ///< real computation, not a wait
    bool overlap = true;
    double predicted = 0;
    double measured = 0;
  };

  const config::Options& options_;
  const ScalingRequest& request_;
  comm::Communicator world_;
  nn::Network network_;
  const kernels::KernelTable<float>& kernels_;
  int threads_;
  std::int64_t leaves_;
  measure::Costs costs_;
  double one_thread_ = 0;  ///< seconds of a micro-batch on one thread without other load
  std::vector<Row> strong_, weak_;
  std::vector<Check> checks_;
};

}  // namespace

ExitStatus run_scaling(const Arguments& arguments) {
  CommandLine line("scaling", "[mpirun …] convoy scaling --config FILE [options]",
                   "Predicts steps on 1 to 4,096 ranks, strong and weak, from what is measured here: a "
                   "micro-batch layer by\n"
                   "layer, and the network between the ranks it is started on (two nodes or more; "
                   "--latency-us and --gbit\n"
                   "stand for a network that is not here). Started on several ranks, it checks itself: steps "
                   "whose messages\n"
                   "are real and whose computation is a wait of the measured length, and with --kernels "
                   "whole steps. Random\n"
                   "images; nothing is written but --json.");
  add_images(line);
  line.add_value("ranks-per-host", "N", "ranks that share a node and its wire; default 1");
  line.add_value("latency-us", "T", "of a message between nodes, microseconds, instead of measuring");
  line.add_value("gbit", "R", "what a node's wire carries each way, Gbit/s, instead of measuring");
  line.add_value("milliseconds", "N", "time for one measurement, at least, 1 to 60,000; default 500");
  line.add_flag("kernels", "check whole steps too, of one rank and of all: each needs cores of its own");
  line.add_value("json", "FILE", "write all figures there too");
  line.add_configuration();
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const config::Options options = line.configuration(config::For::kTrial);
  ScalingRequest request{.images = choose_images(line, options.data),
                         .ranks_a_host = line.integer("ranks-per-host", 1, 1, 4096),
                         .latency = std::nullopt,
                         .rate = std::nullopt,
                         .seconds = static_cast<double>(line.integer("milliseconds", 500, 1, 60'000)) / 1e3,
                         .with_kernels = line.has("kernels"),
                         .json = line.text("json").value_or("")};
  if (line.has("latency-us")) request.latency = line.number("latency-us", 0, 0, 1e6) / 1e6;
  if (line.has("gbit")) request.rate = line.number("gbit", 0, 1e-6, 1e6) * 1e9 / 8;
  return launch::run_with_ranks("scaling", [&](const comm::Communicator& world) {
    if (world.size() == 1 && !(request.latency && request.rate)) {
      throw ConfigError(
          "one rank sees no network to measure; start it on two nodes or more (mpirun, srun), or say what "
          "the "
          "network does with --latency-us and --gbit");
    }
    return Scaling(options, request, world.by_node()).run();
  });
}

}  // namespace convoy::apps
