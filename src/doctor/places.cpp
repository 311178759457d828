// Checks of the launcher, the programs and the placement of the ranks.

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "check_context.hpp"
#include "convoy/core/text.hpp"

namespace convoy::doctor {
namespace {

/// One text per rank.
std::vector<std::string> by_rank(const CheckContext& context, const std::string& fact) {
  std::vector<std::string> texts;
  for (int rank = 0; rank < context.world.size(); ++rank) texts.push_back(context.text(rank, fact));
  return texts;
}

/// "4.1.4 (ranks 0-1 on n1), 4.1.6 (ranks 2-3 on n2)".
std::string versions_of(const CheckContext& context, const std::map<std::string, std::vector<int>>& ranks) {
  std::vector<std::string> parts;
  for (const auto& [value, who] : ranks) parts.push_back(fmt::format("{} ({})", value, context.named(who)));
  return join(parts, ", ");
}

/// Findings for a problem that ranks report as a fact.
void add_problems(const CheckContext& context, const std::string& fact, const std::string& remedy,
                  Findings& found) {
  for (const auto& [problem, ranks] : ranks_by(by_rank(context, fact)))
    found.push_back(wrong(fmt::format("{} [{}]", problem, context.named(ranks)), remedy));
}

/// "mpirun -n 8 --map-by ppr:4:node:pe=2 --bind-to core", with values for this node.
std::string binding_options(const CheckContext& context) {
  std::set<int> processors;
  for (const machine::Placement& place : context.placements)
    if (place.host == context.host(0))
      processors.insert(place.processor_numbers.begin(), place.processor_numbers.end());
  const auto each =
      std::max<std::size_t>(processors.size() / static_cast<std::size_t>(context.ranks_of_host), 1);
  return fmt::format(
      "mpirun --map-by ppr:{0}:node:pe={1} --bind-to core -x OMP_NUM_THREADS={1}, or srun "
      "--cpus-per-task={1} --cpu-bind=cores",
      context.ranks_of_host, each);
}

}  // namespace

Findings check_launcher(const CheckContext& context) {
  if (const Problem& problem = context.asked.launcher_problem) return {wrong(problem.what, problem.remedy)};
  std::vector<std::string> hosts;
  for (const int first : context.firsts) hosts.push_back(context.host(first));
  constexpr std::size_t kMostHosts = 8;
  const std::size_t all = hosts.size();
  if (all > kMostHosts) hosts.resize(kMostHosts);
  return {
      ok(fmt::format("{}: {} on {} ({}{}", context.asked.launcher, counted(context.world.size(), "rank"),
                     counted(context.hosts(), "node"), join(hosts, ", "), all > kMostHosts ? ", …)" : ")"))};
}

Findings check_mpi(const CheckContext& context) {
  if (!context.asked.mpi_problem.empty()) {
    return {wrong(
        context.asked.mpi_problem,
        "load the MPI that Convoy was built with (module load openmpi, or Debian's openmpi-bin), or build "
        "Convoy with this one")};
  }
  const auto versions = ranks_by(by_rank(context, "mpi"));
  if (versions.size() > 1) {
    return {wrong(
        "nodes have other MPI libraries: " + versions_of(context, versions),
        "have all nodes load the same one (the same module load line in the job script, the same image)")};
  }
  return {
      ok(versions.begin()->first + (context.world.size() > 1 ? ", MPI_THREAD_MULTIPLE, the same on all ranks"
                                                             : ", MPI_THREAD_MULTIPLE"))};
}

Findings check_program(const CheckContext& context) {
  Findings found;
  constexpr std::size_t kDigits = 8;
  std::vector<std::string> sums = by_rank(context, "program");
  for (std::string& sum : sums) sum.resize(std::min(sum.size(), kDigits));
  const auto programs = ranks_by(sums);
  if (programs.size() > 1) {
    found.push_back(wrong(
        "ranks run other builds of convoy, which train refuses: xxh128 " + versions_of(context, programs),
        "copy one build to all nodes, or install it where all of them see it, and start that path"));
  }
  const auto libraries = ranks_by(by_rank(context, "hdf5"));
  if (libraries.size() > 1) {
    found.push_back(wrong("nodes have other HDF5 libraries: " + versions_of(context, libraries),
                          "have all nodes load the same one (the same module load line, the same image)"));
  }
  if (found.empty())
    found.push_back(
        ok(fmt::format("convoy {} (xxh128 {}), HDF5 {}{}", context.text(0, "convoy"), programs.begin()->first,
                       libraries.begin()->first, context.world.size() > 1 ? ", the same on all ranks" : "")));
  return found;
}

Findings check_instruction_set(const CheckContext& context) {
  Findings found;
  add_problems(context, "isa problem", "unset CONVOY_ISA", found);
  if (!found.empty()) return found;
  const auto sets = ranks_by(by_rank(context, "isa"));
  if (sets.size() == 1) {
    const bool is_lowered = context.text(0, "isa") != context.text(0, "isa here");
    return {ok(
        sets.begin()->first +
        (is_lowered ? ", as CONVOY_ISA says (the processor has " + context.text(0, "isa here") + ")" : ""))};
  }
  const std::string portable(kernels::to_string(kernels::Isa::kPortable));
  if (!sets.contains(portable))
    return {ok(versions_of(context, sets) + ": the same bits, but the faster nodes wait for the others")};
  return {warning("instruction sets differ: " + versions_of(context, sets) + "; all ranks use " + portable +
                      ", since it has bits of its own, and the faster nodes wait for the others",
                  "start on nodes of one kind (srun --constraint=…), without CONVOY_ISA; a run that began on "
                  "another set goes on with other bits here")};
}

Findings check_bindings(const CheckContext& context) {
  Findings found;
  for (const Problem& problem : machine::placement_problems(context.placements))
    found.push_back(wrong(problem.what, problem.remedy));
  if (!found.empty()) return found;
  std::vector<std::string> masks;
  for (const machine::Placement& place : context.placements)
    masks.push_back(place.host + " processors " + place.processors);
  std::vector<int> shared;  // ranks whose processors overlap with those of another rank
  for (const auto& [mask, ranks] : ranks_by(masks))
    if (ranks.size() > 1) shared.insert(shared.end(), ranks.begin(), ranks.end());
  if (!shared.empty()) {
    std::ranges::sort(shared);
    return {warning("ranks are not bound: " + context.named(shared) +
                        " may run on the same processors, and wander between them and from their memory",
                    binding_options(context))};
  }
  std::vector<std::string> places;
  constexpr int kMost = 4;
  for (int rank = 0; rank < std::min(context.world.size(), kMost); ++rank) {
    const machine::Placement& place = context.placements[static_cast<std::size_t>(rank)];
    places.push_back(fmt::format("rank {}: {} on processors {} of {}{}", rank,
                                 counted(place.threads, "thread"), place.processors, place.host,
                                 machine::describe_domains(place)));
  }
  return {ok(join(places, "; ") + (context.world.size() > kMost ? "; …" : ""))};
}

Findings check_openmp(const CheckContext& context) {
  Findings found;
  add_problems(context, "threads problem", "export OMP_NUM_THREADS=N, the threads of one rank", found);
  const auto threads = ranks_by(by_rank(context, "threads"));
  if (threads.size() > 1 && found.empty()) {
    found.push_back(warning("ranks have other numbers of threads, and the fast ones wait for the others: " +
                                versions_of(context, threads),
                            "set run.threads in the configuration, or pass the variable on: mpirun -x "
                            "OMP_NUM_THREADS (it does not reach other nodes by itself)"));
  }
  std::vector<int> limited;
  std::vector<int> unlike_slurm;
  for (int rank = 0; rank < context.world.size(); ++rank) {
    const double limit = context.number(rank, "OMP_THREAD_LIMIT");
    const double mine = context.number(rank, "threads");
    if (limit > 0 && limit < mine) limited.push_back(rank);
    const double slurm = context.number(rank, "SLURM_CPUS_PER_TASK");
    if (slurm > 0 && !context.text(rank, "OMP_NUM_THREADS").empty() && slurm != mine && !context.run &&
        context.asked.threads == 0)
      unlike_slurm.push_back(rank);
  }
  if (!limited.empty())
    found.push_back(
        wrong("OMP_THREAD_LIMIT allows fewer threads than a rank has [" + context.named(limited) + ']',
              "unset OMP_THREAD_LIMIT"));
  if (!unlike_slurm.empty())
    found.push_back(
        warning("OMP_NUM_THREADS is not SLURM_CPUS_PER_TASK [" + context.named(unlike_slurm) + ']',
                "export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK"));
  if (found.empty()) {
    const std::string variable = context.text(0, "OMP_NUM_THREADS");
    found.push_back(ok(counted(static_cast<std::int64_t>(context.number(0, "threads")), "thread") +
                       " a rank" + (variable.empty() ? "" : " (OMP_NUM_THREADS=" + variable + ")")));
  }
  return found;
}

}  // namespace convoy::doctor
