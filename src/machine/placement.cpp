#include "convoy/machine/placement.hpp"

#include <fmt/core.h>
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "processor_quota.hpp"
#include "processors.hpp"

namespace convoy::machine {
namespace {

constexpr int kMostThreads = 4096;

int threads_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return 0;
  // OMP_NUM_THREADS may be a list with one number per nesting level; use the first.
  const std::string_view first = std::string_view(text).substr(0, std::string_view(text).find(','));
  const auto value = parse_integer(trim(first));
  if (!value || *value < 1 || *value > kMostThreads) {
    throw ConfigError(
        fmt::format("environment variable {}='{}' is wrong (it takes a number of threads from 1 to {})",
                    variable, text, kMostThreads));
  }
  return static_cast<int>(*value);
}

/// Ranks on this node, as the launcher tells; 1 without a launcher.
int ranks_of_node() {
  for (const char* variable : {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_NTASKS_PER_NODE"}) {
    const char* text = std::getenv(variable);
    const auto ranks = text == nullptr ? std::nullopt : parse_integer(text);
    if (ranks && *ranks > 0 && *ranks <= kMostThreads) return static_cast<int>(*ranks);
  }
  return 1;
}

/// Ranks of a node whose processors overlap, directly or through other ranks.
struct Sharing {
  std::string host;
  std::vector<int> ranks;
  int threads = 0;
  std::set<int> processors;
  bool is_alike = true;  ///< true: all ranks have the same processors

  void add(int rank, const Placement& place) {
    ranks.push_back(rank);
    threads += place.threads;
    const std::size_t before = processors.size();
    processors.insert(place.processor_numbers.begin(), place.processor_numbers.end());
    if (before > 0)
      is_alike = is_alike && before == processors.size() && before == place.processor_numbers.size();
  }
  [[nodiscard]] bool overlaps(const Placement& place) const {
    return place.host == host && std::ranges::any_of(place.processor_numbers,
                                                     [&](int number) { return processors.contains(number); });
  }
};

std::vector<Sharing> sharings(const std::vector<Placement>& placements) {
  std::vector<Sharing> found;
  for (std::size_t i = 0; i < placements.size(); ++i) {
    Sharing mine{.host = placements[i].host, .ranks = {}, .processors = {}};
    mine.add(static_cast<int>(i), placements[i]);
    // Merge every entry that has processors in common.
    for (auto other = found.begin(); other != found.end();) {
      if (!other->overlaps(placements[i])) {
        ++other;
        continue;
      }
      Sharing joined{.host = mine.host, .ranks = {}, .processors = {}};
      std::vector<int> ranks = other->ranks;
      ranks.insert(ranks.end(), mine.ranks.begin(), mine.ranks.end());
      std::ranges::sort(ranks);
      for (const int rank : ranks) joined.add(rank, placements[static_cast<std::size_t>(rank)]);
      mine = joined;
      other = found.erase(other);
    }
    found.push_back(mine);
  }
  return found;
}

/// "rank 2", "ranks 0-3,8".
std::string named(const std::vector<int>& ranks) {
  return (ranks.size() > 1 ? "ranks " : "rank ") + in_ranges(ranks);
}

/// The options that give each of `ranks` ranks of a node its own `threads` processors.
std::string remedy(std::size_t ranks, int threads) {
  return fmt::format(
      "mpirun --map-by ppr:{0}:node:pe={1} --bind-to core, or srun --cpus-per-task={1} (since Slurm 22.05 "
      "srun does not take it from sbatch)",
      ranks, threads);
}

/// "unset OMP_PLACES, or " if variables bind OpenMP's threads.
std::string unset_or(const Placement& place) {
  std::vector<std::string> names;
  for (std::string_view rest = place.pinned_by; !rest.empty();) {
    const std::size_t end = std::min(rest.find(", "), rest.size());
    if (const std::size_t equals = rest.substr(0, end).find('='); equals != std::string_view::npos)
      names.emplace_back(rest.substr(0, equals));
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  return names.empty() ? std::string() : fmt::format("unset {}, or ", join(names, " and "));
}

}  // namespace

int resolve_threads(std::int64_t asked) {
  if (asked > 0) return static_cast<int>(asked);
  if (const int threads = threads_from("OMP_NUM_THREADS")) return threads;
  if (const int threads = threads_from("SLURM_CPUS_PER_TASK")) return threads;
  const auto processors = static_cast<int>(allowed_processors().numbers.size());
  const auto quota = processor_quota();
  if (!quota) return processors;
  const auto share = static_cast<int>(quota->processors / ranks_of_node());
  return std::clamp(share, 1, processors);
}

std::vector<Placement> gather_placements(const comm::Communicator& world, int threads) {
  const Processors mine = allowed_processors();
  const std::vector<std::string> hosts = world.all_gather_text(comm::host_name());
  const std::vector<int> all_threads = world.all_gather_values(std::vector{threads});
  std::vector<Placement> placements;
  for (std::size_t i = 0; i < hosts.size(); ++i)
    placements.push_back(
        {.host = hosts[i], .processors = {}, .processor_numbers = {}, .threads = all_threads[i]});
  const auto gather = [&](const std::vector<int>& of_this_rank, std::vector<int> Placement::*field) {
    const std::vector<int> counts =
        world.all_gather_values(std::vector{static_cast<int>(of_this_rank.size())});
    const std::vector<int> all = world.all_gather_values(of_this_rank);
    auto next = all.begin();
    for (std::size_t i = 0; i < placements.size(); next += counts[i++])
      placements[i].*field = {next, next + counts[i]};
  };
  gather(mine.numbers, &Placement::processor_numbers);
  gather(mine.domains, &Placement::domains);
  gather(pinned_processors(mine.numbers, threads), &Placement::pinned);
  const std::vector<std::string> variables = world.all_gather_text(binding_variables());
  for (std::size_t i = 0; i < placements.size(); ++i) placements[i].pinned_by = variables[i];
  const auto quota = processor_quota();
  const std::vector<double> quotas = world.all_gather_values(std::vector{quota ? quota->processors : 0.0});
  for (std::size_t i = 0; i < placements.size(); ++i) placements[i].quota = quotas[i];
  for (Placement& place : placements) place.processors = in_ranges(place.processor_numbers);
  return placements;
}

std::string describe_domains(const Placement& place) {
  if (place.domains.empty()) return {};
  return fmt::format(", NUMA domain{} {}", place.domains.size() > 1 ? "s" : "", in_ranges(place.domains));
}

std::string describe_placements(const std::vector<Placement>& placements) {
  std::string text;
  for (std::size_t i = 0; i < placements.size();) {
    std::size_t end = i;  // merge equal neighbours into one line
    const auto alike = [&](const Placement& a, const Placement& b) {
      return a.host == b.host && a.processors == b.processors && a.threads == b.threads;
    };
    while (end + 1 < placements.size() && alike(placements[i], placements[end + 1])) ++end;
    text += fmt::format("  rank {}{} on {}, {}{}, processors {}{}\n", i,
                        end > i ? " to " + std::to_string(end) : "", placements[i].host,
                        counted(placements[i].threads, "thread"), end > i ? " each" : "",
                        placements[i].processors, describe_domains(placements[i]));
    i = end + 1;
  }
  return text;
}

namespace {

/// Nodes whose ranks have more threads than their control group grants processor time: threads that spin
/// while others wait for their next period.
std::vector<Problem> quota_problems(const std::vector<Placement>& placements) {
  std::map<std::string, int> threads;
  std::map<std::string, double> quotas;
  for (const Placement& place : placements) {
    threads[place.host] += place.threads;
    if (place.quota > 0) quotas[place.host] = place.quota;
  }
  std::vector<Problem> problems;
  for (const auto& [host, quota] : quotas) {
    if (threads[host] <= std::max(quota, 1.0)) continue;
    problems.push_back(
        {fmt::format("{} runs {}, but its control group grants the time of {} processor{}: it stops "
                     "them for a part of every period",
                     host, counted(threads[host], "thread"), shortest(quota), quota == 1 ? "" : "s"),
         "lower run.threads (OMP_NUM_THREADS), or raise the quota (docker --cpus, cpu.max)"});
  }
  return problems;
}

/// Ranks that may run on enough processors, but whose threads OpenMP pins to the same cores: each rank takes
/// the first of its places, and ranks that the launcher did not bind have the same ones.
std::vector<Problem> pinning_problems(const std::vector<Placement>& placements) {
  std::vector<Placement> pins = placements;
  for (Placement& place : pins) place.processor_numbers = place.pinned;
  std::vector<Problem> problems;
  for (const Sharing& group : sharings(pins)) {
    const auto cores = static_cast<int>(group.processors.size());
    if (cores == 0 || group.threads <= cores) continue;
    const Placement& first = placements[static_cast<std::size_t>(group.ranks.front())];
    if (group.threads > static_cast<int>(first.processor_numbers.size()))
      continue;  // said of their processors
    const auto on_host =
        static_cast<std::size_t>(std::ranges::count(placements, group.host, &Placement::host));
    problems.push_back(
        {fmt::format("OpenMP pins the {} of {} on {} to {} ({}), though they may run on {}{}: they wait for "
                     "each other while other processors are idle",
                     counted(group.threads, "thread"), named(group.ranks), group.host, counted(cores, "core"),
                     "processor" + std::string(cores > 1 ? "s " : " ") +
                         in_ranges({group.processors.begin(), group.processors.end()}),
                     in_ranges(first.processor_numbers),
                     first.pinned_by.empty() ? "" : " (" + first.pinned_by + ")"),
         unset_or(first) + fmt::format("give each rank its own ({})", remedy(on_host, first.threads))});
  }
  return problems;
}

}  // namespace

std::vector<Problem> placement_problems(const std::vector<Placement>& placements) {
  std::vector<Problem> problems = quota_problems(placements);
  std::ranges::move(pinning_problems(placements), std::back_inserter(problems));
  for (const Sharing& group : sharings(placements)) {
    const auto processors = static_cast<int>(group.processors.size());
    const std::string where = in_ranges({group.processors.begin(), group.processors.end()});
    const Placement& first = placements[static_cast<std::size_t>(group.ranks.front())];
    const auto on_host =
        static_cast<std::size_t>(std::ranges::count(placements, group.host, &Placement::host));
    const std::string own =
        unset_or(first) + fmt::format("give each rank its own ({})", remedy(on_host, first.threads));
    if (group.threads > processors) {
      problems.push_back({fmt::format("{} runs {} ({}) on {} ({}): they wait for each other", group.host,
                                      counted(group.threads, "thread"), named(group.ranks),
                                      counted(processors, "processor"), where),
                          own + ", or lower run.threads (OMP_NUM_THREADS)"});
    } else if (!group.is_alike) {
      problems.push_back({fmt::format("bindings overlap on {} ({} share some of the processors {}): some "
                                      "wait while others are idle",
                                      group.host, named(group.ranks), where),
                          own});
    }
  }
  return problems;
}

}  // namespace convoy::machine
