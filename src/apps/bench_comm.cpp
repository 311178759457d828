#include "bench_comm.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <iostream>

#include "convoy/comm/link.hpp"
#include "convoy/core/median.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/io/json.hpp"
#include "convoy/kernels/kernels.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/measure/comm_replay.hpp"
#include "convoy/measure/shares.hpp"
#include "convoy/step/consistency.hpp"

namespace convoy::apps {
namespace {

constexpr int kRounds = 3;  // alternate all ways, so that a slow moment does not affect only one of them

/// One way to add a gradient over all ranks.
struct Way {
  std::string name;
  double sent = 0;  ///< lower bound of bytes sent by a node
  std::function<double()> measure;
  std::vector<double> seconds{};

  [[nodiscard]] double median() const { return convoy::median(seconds); }
};

class Bench {
 public:
  Bench(const config::Options& options, const Images& images, const CommRequest& request,
        const comm::Communicator& world)
      : options_(options),
        request_(request),
        world_(world),
        network_(network_for(images, options)),
        kernels_(kernels::float_kernels(step::agreed_isa(world, kernels::choose_isa()))) {}

  ExitStatus run() {
    link_ = comm::measure_link(world_, request_.seconds);
    rate_ = request_.wire_bytes_per_second > 0 ? request_.wire_bytes_per_second : link_.bytes_per_second;
    if (world_.is_root()) std::cout << describe_link() << std::flush;
    make_ways();
    for (int round = 0; round < kRounds; ++round)
      for (Way& way : ways_) way.seconds.push_back(way.measure());
    if (!world_.is_root()) return ExitStatus::kDone;
    std::cout << describe_ways() << std::flush;
    if (!request_.json.empty()) io::write_text_file(request_.json, to_json());
    return ExitStatus::kDone;
  }

 private:
  void make_ways() {
    const double bytes = static_cast<double>(network_.gradient_size()) * sizeof(float);
    const double others = static_cast<double>(link_.hosts - 1) / link_.hosts;
    ways_.push_back({.name = "MPI_Allreduce", .sent = 2 * others * bytes, .measure = [this] {
                       return comm::measure_all_reduce(world_, network_.gradient_size(), request_.seconds);
                     }});
    const auto add = [&](const std::string& name, double wholes, auto change) {
      step::CommOptions comm = options_.comm;
      comm.wire = comm::Wire::kFloat32;
      comm.reduction = comm::Reduction::kTree;
      change(comm);
      ways_.push_back({.name = name, .sent = wholes * others * bytes, .measure = [this, comm] {
                         config::Options options = options_;
                         options.comm = comm;
                         return measure::replay_communication(
                             world_, network_, options, kernels_, measure::no_computation(network_),
                             measure::CommReplayKind::kSumAlone, request_.seconds);
                       }});
    };
    partial_sums_ = measure::partial_sums(world_, network_, options_, kernels_);
    const auto f = static_cast<double>(partial_sums_.most);
    add("tree", f + 1, [](step::CommOptions& comm) { comm.shards_optimizer = true; });
    add("tree, optimizer not sharded", f + 1, [](step::CommOptions& comm) { comm.shards_optimizer = false; });
    add("tree, bf16", f / 2 + 1, [](step::CommOptions& comm) {
      comm.shards_optimizer = true;
      comm.wire = comm::Wire::kBfloat16;
    });
    add("tree, bf16, not sharded", (f + 1) / 2, [](step::CommOptions& comm) {
      comm.shards_optimizer = false;
      comm.wire = comm::Wire::kBfloat16;
    });
    add("mpi (MPI_Iallreduce)", 2, [](step::CommOptions& comm) { comm.reduction = comm::Reduction::kMpi; });
  }

  [[nodiscard]] std::string describe_link() const {
    std::string text =
        fmt::format("{} on {}, {}: {:.1f} us for 8 bytes, {:.3f} GB/s ({:.2f} Gbit/s) each way at once\n",
                    counted(world_.size(), "rank"), counted(link_.hosts, "node"),
                    link_.hosts > 1 ? "between nodes" : "within it", 1e6 * link_.latency,
                    link_.bytes_per_second / 1e9, 8 * link_.bytes_per_second / 1e9);
    if (request_.wire_bytes_per_second > 0)
      text += fmt::format("wire: {:.2f} Gbit/s as --gbit says\n", 8 * rate_ / 1e9);
    return text;
  }

  [[nodiscard]] std::string describe_ways() const {
    const auto bytes = network_.gradient_size() * static_cast<std::int64_t>(sizeof(float));
    std::string text = fmt::format(
        "gradient: {} numbers, {}, {}\n"
        "Until every rank has the sum; median of {} rounds:\n"
        "  {:30}{:>10}{:>14}{:>16}\n",
        grouped(network_.gradient_size()), in_bytes(bytes),
        measure::describe(partial_sums_, link_.hosts < world_.size() && options_.comm.shared_memory), kRounds,
        "", "ms", "of the bound", "MPI_Allreduce/");
    for (const Way& way : ways_) {
      text += fmt::format("  {:30}{:>10.3f}{:>14}{:>16.2f}\n", way.name, 1e3 * way.median(),
                          link_.hosts > 1 ? fmt::format("{:.1f} %", 100 * share_of_bound(way)) : "-",
                          ways_.front().median() / way.median());
    }
    if (link_.hosts > 1)
      text +=
          "The bound is what a node must send, over its bandwidth: 2·(N−1)/N gradients for MPI on N nodes, "
          "(f+1)·(N−1)/N for the tree, f of "
          "the node that sends the most\n";
    return text;
  }

  [[nodiscard]] double share_of_bound(const Way& way) const { return way.sent / rate_ / way.median(); }

  [[nodiscard]] std::string to_json() const {
    io::Json ways = io::Json::array();
    for (const Way& way : ways_) {
      ways.push_back({{"name", way.name},
                      {"seconds", way.median()},
                      {"bytes_sent_a_host", way.sent},
                      {"share_of_bound", link_.hosts > 1 ? io::Json(share_of_bound(way)) : io::Json()},
                      {"times_mpi_allreduce", ways_.front().median() / way.median()}});
    }
    return io::to_text({{"version", version()},
                        {"ranks", world_.size()},
                        {"hosts", link_.hosts},
                        {"latency_seconds", link_.latency},
                        {"bytes_per_second", rate_},
                        {"gradient_numbers", network_.gradient_size()},
                        {"partial_sums", partial_sums_.mean},
                        {"most_partial_sums", partial_sums_.most},
                        {"ways", ways}}) +
           '\n';
  }

  const config::Options& options_;
  const CommRequest& request_;
  comm::Communicator world_;
  nn::Network network_;
  const kernels::KernelTable<float>& kernels_;
  comm::Link link_;
  double rate_ = 0;
  comm::PartialSums partial_sums_;
  std::vector<Way> ways_;
};

}  // namespace

ExitStatus bench_comm(const config::Options& options, const Images& images, const CommRequest& request) {
  return launch::run_with_ranks("bench comm", [&](const comm::Communicator& world) {
    if (world.size() == 1)
      throw ConfigError(
          "one rank has nobody to send to; start bench comm on the ranks that are to be measured (mpirun -n "
          "2 "
          "…, srun …)");
    return Bench(options, images, request, world.by_node()).run();
  });
}

}  // namespace convoy::apps
