// Checks of system limits: resource limits, memory, shared memory, a folder for temporary files.

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "check_context.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"

namespace convoy::doctor {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::max();

double limit_of(const CheckContext& context, int rank, const char* name) {
  const std::string fact = std::string("limit ") + name;
  return context.text(rank, fact).empty() ? kUnlimited : context.number(rank, fact);
}

/// Ranks with a limit below `least`, and the lowest limit.
struct Below {
  std::vector<int> ranks;
  double lowest = kUnlimited;
};

Below below(const CheckContext& context, const char* name, double least) {
  Below found;
  for (int rank = 0; rank < context.world.size(); ++rank) {
    const double limit = limit_of(context, rank, name);
    if (limit >= least) continue;
    found.ranks.push_back(rank);
    found.lowest = std::min(found.lowest, limit);
  }
  return found;
}

std::string amount(double value) {
  return value == kUnlimited ? "unlimited" : grouped(static_cast<std::int64_t>(value));
}

/// Collective over the node. Every rank writes its own part of a shared buffer and reads all parts. Returns
/// the problem.
std::string share_a_piece(const CheckContext& context) {
  try {
    const comm::NodeSegments segments(context.node, kMebibyte);
    std::ranges::fill(segments.of(context.node.rank()), static_cast<std::byte>(context.world.rank() + 1));
    const std::vector<int> numbers = context.node.all_gather_values(std::vector{context.world.rank()});
    std::string problem;
    for (int mate = 0; mate < context.node.size(); ++mate) {
      const int number = numbers[static_cast<std::size_t>(mate)];
      const auto expected = static_cast<std::byte>(number + 1);
      if (std::ranges::any_of(segments.of(mate), [&](std::byte each) { return each != expected; }))
        problem = fmt::format("what rank {} wrote in shared memory is not seen", number);
    }
    context.node.barrier();
    return problem;
  } catch (const IoError& error) {  // if there is no room, on all ranks of the node
    return error.what();
  }
}

}  // namespace

Findings check_limits(const CheckContext& context) {
  Findings found;
  // One connection to every other rank, and the files of program, libraries, data and checkpoint.
  const double files = 128 + 2.0 * context.world.size();
  if (const Below few = below(context, "open files", files); !few.ranks.empty())
    found.push_back(
        wrong(fmt::format("only {} open files are allowed, {} may take {} [{}]", amount(few.lowest),
                          counted(context.world.size(), "rank"), amount(files), context.named(few.ranks)),
              "ulimit -n 65536 before the launcher, or LimitNOFILE=65536 for slurmd, nofile in "
              "/etc/security/limits.conf"));
  // A network card pins its rings and registered buffers.
  std::string devices;
  for (const int first : context.firsts)
    if (devices.empty()) devices = context.text(first, "infiniband");
  if (const Below little = below(context, "memlock", 64.0 * kMebibyte); !little.ranks.empty()) {
    const std::string text =
        fmt::format("only {} of memory may be locked [{}]",
                    in_bytes(static_cast<std::int64_t>(little.lowest)), context.named(little.ranks));
    const std::string remedy =
        "ulimit -l unlimited before the launcher, or LimitMEMLOCK=infinity for slurmd, memlock unlimited in "
        "/etc/security/limits.conf";
    if (devices.empty()) {
      // Sockets lock no memory. 64 KiB is the default of old systems; some MPI libraries still need it.
      constexpr double kVeryLittle = 64.0 * 1024;
      if (little.lowest < kVeryLittle) found.push_back(warning(text, remedy));
    } else {
      found.push_back(
          wrong(fmt::format("{}, too little for {}: MPI falls back to TCP, or ends", text, devices), remedy));
    }
  }
  if (const Below small = below(context, "stack", 2.0 * kMebibyte); !small.ranks.empty())
    found.push_back(
        warning(fmt::format("stacks are limited to {} [{}], libraries may crash",
                            in_bytes(static_cast<std::int64_t>(small.lowest)), context.named(small.ranks)),
                "ulimit -s 8192"));
  if (const Below short_time = below(context, "processor time", kUnlimited); !short_time.ranks.empty())
    found.push_back(
        warning(fmt::format("the system ends a rank after {} seconds of processor time [{}]",
                            amount(short_time.lowest), context.named(short_time.ranks)),
                "ulimit -t unlimited; where that is not allowed, train in a job instead of on a login "
                "node"));
  if (found.empty()) {
    const Below lowest_files = below(context, "open files", kUnlimited);
    const Below lowest_lock = below(context, "memlock", kUnlimited);
    found.push_back(ok(fmt::format(
        "open files {}, locked memory {}", amount(lowest_files.lowest),
        lowest_lock.ranks.empty() ? "unlimited" : in_bytes(static_cast<std::int64_t>(lowest_lock.lowest)))));
  }
  return found;
}

Findings check_memory(const CheckContext& context) {
  Findings found;
  double least = kUnlimited;
  int poorest = 0;
  for (const int first : context.firsts) {
    const double left = context.number(first, "available memory");
    if (left < least) {
      least = left;
      poorest = first;
    }
  }
  const std::string left = fmt::format("{} left on {} (MemAvailable, control groups, ulimit -v)",
                                       in_bytes(static_cast<std::int64_t>(least)), context.host(poorest));
  const std::string remedy =
      "ask for more (sbatch --mem=0 takes all of a node), start fewer ranks or threads a node, or lower "
      "train.micro-batch; data.cache = none leaves images in their file";
  if (context.needs.host_bytes > 0) {
    const auto need = static_cast<double>(context.needs.host_bytes);
    const std::string text =
        fmt::format("a node of this run takes about {}, {}", in_bytes(context.needs.host_bytes), left);
    if (need > least) return {wrong(text, remedy)};
    if (need > 0.8 * least) return {warning(text, remedy)};
    return {ok(text)};
  }
  // Program and libraries of one rank.
  const double need = 200e6 * context.ranks_of_host;
  if (need > least)
    return {
        wrong(fmt::format("{}, {} take {} before any network is there", left,
                          counted(context.ranks_of_host, "rank"), in_bytes(static_cast<std::int64_t>(need))),
              remedy)};
  return {ok(left + (context.run ? "" : "; --config tells what a run takes"))};
}

Findings check_temporary_folder(const CheckContext& context) {
  std::vector<std::string> problems;
  std::vector<std::string> small;
  constexpr double kLeast = 16.0 * kMebibyte;
  for (int rank = 0; rank < context.world.size(); ++rank) {
    problems.push_back(context.text(rank, "tmpdir problem"));
    const bool is_small = problems.back().empty() && context.number(rank, "tmpdir free") < kLeast;
    small.push_back(is_small ? context.text(rank, "tmpdir") : "");
  }
  Findings found;
  const std::string remedy = "export TMPDIR to a folder of each node that may be written (mpirun -x TMPDIR)";
  for (const auto& [problem, ranks] : ranks_by(problems))
    found.push_back(wrong(
        fmt::format("MPI needs a folder for its session: {} [{}]", problem, context.named(ranks)), remedy));
  for (const auto& [folder, ranks] : ranks_by(small))
    found.push_back(warning(fmt::format("little room in {} [{}]", folder, context.named(ranks)), remedy));
  if (found.empty()) found.push_back(ok(context.text(0, "tmpdir") + " may be written on all ranks"));
  return found;
}

Findings check_shared_memory(const CheckContext& context) {
  if (context.ranks_of_host == 1) return {ok("not needed: one rank a node")};
  // Shared memory of MPI for messages, and of Convoy.
  const std::int64_t for_mpi = 4 * kMebibyte * context.ranks_of_host;
  const std::int64_t need = context.needs.shared_bytes + for_mpi;
  std::vector<std::string> problems(static_cast<std::size_t>(context.world.size()));
  std::vector<int> limited;
  double least = kUnlimited;
  for (const int first : context.firsts) {
    const double room = context.number(first, "shm free");
    const std::string problem = context.text(first, "shm problem");
    const double limit = limit_of(context, first, "file size");
    if (limit < static_cast<double>(need)) {
      // MPI may then wait for a rank that could not allocate its part.
      limited.push_back(first);
    } else if (!problem.empty()) {
      problems[static_cast<std::size_t>(first)] = problem;
    } else if (room < static_cast<double>(need)) {
      problems[static_cast<std::size_t>(first)] = fmt::format(
          "/dev/shm has {} free of {}, {}{}: {}", in_bytes(static_cast<std::int64_t>(room)),
          in_bytes(static_cast<std::int64_t>(context.number(first, "shm size"))),
          context.needs.shared_bytes > 0 ? "this run's ranks of a node share "
                                         : "ranks of a node share at least ",
          in_bytes(need),
          room < static_cast<double>(for_mpi) ? "they would be killed by SIGBUS" : "they could not start");
    } else {
      least = std::min(least, room);
    }
  }
  Findings found;
  const auto by_problem = ranks_by(problems);
  for (const auto& [problem, ranks] : by_problem)
    found.push_back(
        wrong(fmt::format("{} [{}]", problem, context.named(ranks)),
              "mount -o remount,size=50% /dev/shm (docker run --shm-size=8g, apptainer: --bind /dev/shm), "
              "remove what lies there, or start one rank a node; images need less with data.cache = auto, "
              "or streamed with data.window = 8, gradients with comm.shared-memory = no"));
  if (!limited.empty())
    found.push_back(wrong(
        fmt::format("no file may grow beyond {} (RLIMIT_FSIZE), and shared memory is a file of {} [{}]",
                    in_bytes(static_cast<std::int64_t>(limit_of(context, limited.front(), "file size"))),
                    in_bytes(need), context.named(limited)),
        "ulimit -f unlimited before the launcher"));
  if (!found.empty()) return found;

  for (const auto& [problem, ranks] : ranks_by(context.world.all_gather_text(share_a_piece(context))))
    found.push_back(
        wrong(fmt::format("{} [{}]", problem, context.named(ranks)),
              "comm.shared-memory = no, or start one rank a node; mpirun --mca osc_sm_backing_directory "
              "names another place than /dev/shm"));
  if (found.empty())
    found.push_back(ok(fmt::format(
        "seen by all ranks of a node; {} free in /dev/shm{}", in_bytes(static_cast<std::int64_t>(least)),
        context.needs.shared_bytes > 0 ? ", this run takes " + in_bytes(need) : "")));
  return found;
}

}  // namespace convoy::doctor
