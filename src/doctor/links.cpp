// Checks of clocks and of the network between the ranks.

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "check_context.hpp"
#include "convoy/comm/link.hpp"
#include "convoy/core/median.hpp"
#include "convoy/core/text.hpp"

namespace convoy::doctor {
namespace {

double wall_clock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}
double steady_clock() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

constexpr const char* kSlow = "slow, even for Gigabit Ethernet";
constexpr const char* kNameTheNetwork =
    "name the fast network: mpirun --mca btl_tcp_if_include DEVICE (ip -brief address shows them), and look "
    "for a bad "
    "cable or port (ethtool DEVICE); convoy scaling tells what it costs";

/// What is unusual about the network; empty if nothing is.
struct Slowness {
  std::string text;
  std::string remedy;
};

Slowness slowness(const CheckContext& context, const comm::Link& link) {
  // Far below usual values: half of Gigabit Ethernet, or a tenth of the copy speed of one core.
  constexpr double kSlowWire = 60e6;
  constexpr double kSlowMemory = 300e6;
  constexpr double kLongWire = 2e-3;
  constexpr double kLongMemory = 300e-6;
  constexpr double kFabricLatency = 5e-6;
  constexpr double kBitsPerMegabit = 1e6;
  if (link.hosts == 1) {
    if (link.bytes_per_second < kSlowMemory || link.latency > kLongMemory)
      return {"slow for shared memory",
              "bind ranks to cores of their own (bindings), and see that nobody else computes here (uptime); "
              "mpirun "
              "--mca btl vader,self keeps messages off the network"};
    return {};
  }
  std::string fabric;
  for (const int first : context.firsts)
    if (fabric.empty()) fabric = context.text(first, "infiniband");
  if (!fabric.empty() && link.latency > kFabricLatency)
    return {
        "TCP, by its latency, though there is InfiniBand (" + fabric + ")",
        "use an MPI built with UCX (module load …; ompi_info | grep ucx), mpirun --mca pml ucx; see limits "
        "for locked memory"};
  const std::string device = context.text(0, "network device");
  const double speed = kBitsPerMegabit * context.number(0, "network speed");
  if (speed > 0 && 8 * link.bytes_per_second < 0.4 * speed)
    return {fmt::format("less than 40 % of what {} can ({:.0f} Gbit/s)", device, speed / 1e9),
            "name the network: mpirun --mca btl_tcp_if_include " + device + "; others may be using it"};
  if (link.bytes_per_second < kSlowWire || link.latency > kLongWire) return {kSlow, kNameTheNetwork};
  return {};
}

}  // namespace

Findings check_clocks(const CheckContext& context) {
  constexpr double kMost = 1;  // second
  constexpr int kRounds = 5;
  const double wall = wall_clock();
  const double steady = steady_clock();
  const auto ranks = static_cast<std::size_t>(context.world.size());
  std::vector<std::vector<double>> ahead(ranks);
  for (int round = 0; round < kRounds; ++round) {
    context.world.barrier();  // all ranks leave within the time of some messages
    const std::vector<double> now = context.world.all_gather_values(std::vector{wall_clock()});
    for (std::size_t rank = 0; rank < ranks; ++rank) ahead[rank].push_back(now[rank] - now[0]);
  }
  const std::vector<double> steps = context.world.all_gather_values(
      std::vector{std::fabs((wall_clock() - wall) - (steady_clock() - steady))});
  Findings found;
  double most = 0;
  for (const int first : context.firsts) {
    const double offset = median(ahead[static_cast<std::size_t>(first)]);
    most = std::max(most, std::fabs(offset));
    if (std::fabs(offset) > kMost)
      found.push_back(warning(
          fmt::format(
              "the clock of {} is {:.1f} s {} that of {}: times in metrics, logs and make will not fit",
              context.host(first), std::fabs(offset), offset > 0 ? "ahead of" : "behind", context.host(0)),
          "have the administrator set the clocks by NTP (timedatectl, chronyc tracking)"));
    if (steps[static_cast<std::size_t>(first)] > 0.1)
      found.push_back(warning("the clock of " + context.host(first) + " was set while it was looked at",
                              "see why (chronyc tracking): run.max-time and metrics go by it"));
  }
  // Ranks of one node with different times: a container, or a preloaded library.
  std::vector<std::string> apart(ranks);
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    const auto first = static_cast<std::size_t>(*std::ranges::find_if(context.firsts, [&](int each) {
      return context.host(each) == context.host(static_cast<int>(rank));
    }));
    if (std::fabs(median(ahead[rank]) - median(ahead[first])) > kMost)
      apart[rank] = fmt::format("other time than the first rank of the node, by {:.1f} s",
                                std::fabs(median(ahead[rank]) - median(ahead[first])));
  }
  for (const auto& [problem, who] : ranks_by(apart))
    found.push_back(warning(fmt::format("{} [{}]", problem, context.named(who)),
                            "see what changes its clock (LD_PRELOAD)"));
  if (found.empty())
    found.push_back(
        ok(context.hosts() > 1 ? fmt::format("nodes differ by at most {:.3f} s", most) : "it runs evenly"));
  return found;
}

Findings check_network(const CheckContext& context) {
  if (context.world.size() == 1) return {ok("not measured: one rank has nobody to send to")};
  if (context.hosts() > 1) {
    // Over a very slow network the real measurement would take minutes.
    constexpr std::int64_t kFew = std::int64_t{1} << 16;
    constexpr double kVerySlow = 1e7;  // bytes a second
    const double seconds = comm::measure_all_reduce(context.world, kFew, context.asked.measure_seconds / 4);
    const double rate = 2 * static_cast<double>(kFew) * sizeof(float) / seconds;
    if (rate < kVerySlow)
      return {warning(
          fmt::format("{}: between nodes an all-reduce of 256 KiB takes {:.0f} ms, as over {:.0f} Mbit/s",
                      kSlow, 1e3 * seconds, 8 * rate / 1e6),
          kNameTheNetwork)};
  }
  const comm::Link link = comm::measure_link(context.world, context.asked.measure_seconds);
  constexpr std::int64_t kElements = std::int64_t{1} << 20;
  const double all_reduce = comm::measure_all_reduce(context.world, kElements, context.asked.measure_seconds);
  const std::string text =
      fmt::format("{} {:.1f} us for 8 bytes, {:.2f} Gbit/s each way, all-reduce of 4 MiB {:.1f} ms",
                  link.hosts > 1 ? "between nodes" : "within the node", 1e6 * link.latency,
                  8 * link.bytes_per_second / 1e9, 1e3 * all_reduce);
  const Slowness slow = slowness(context, link);
  if (!slow.text.empty()) return {warning(slow.text + ": " + text, slow.remedy)};
  return {ok(text)};
}

}  // namespace convoy::doctor
