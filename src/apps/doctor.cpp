// convoy doctor: finds the faults of this machine and prints fixes.

#include <fmt/core.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>

#include "command.hpp"
#include "convoy/comm/rendezvous.hpp"
#include "convoy/command_line/command_line.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/doctor/doctor.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/io/json.hpp"
#include "convoy/launch/launcher.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/launch/time_limit.hpp"
#include "convoy/samples/names.hpp"
#include "random_images.hpp"

namespace convoy::apps {
namespace {

using doctor::Finding;
using doctor::Verdict;

/// Prints and counts findings immediately. Thread-safe.
class Report {
 public:
  void add(const Finding& finding) {
    const std::lock_guard lock(mutex_);
    std::string line = fmt::format("{:9}{:15}{}", to_string(finding.verdict), finding.check, finding.text);
    if (!finding.remedy.empty()) line += "; mend: " + finding.remedy;
    std::cout << line << std::endl;
    findings_.push_back(finding);
  }

  /// Prints the last line and writes the file of --json.
  ExitStatus finish(const std::string& json, int ranks) {
    const std::lock_guard lock(mutex_);
    const std::int64_t wrong = count(Verdict::kWrong);
    const std::int64_t warnings = count(Verdict::kWarning);
    const ExitStatus status = wrong == 0 ? ExitStatus::kDone : ExitStatus::kCheckFailed;
    std::cout << (wrong == 0 && warnings == 0
                      ? "Nothing is wrong"
                      : fmt::format("{} wrong, {}", wrong == 0 ? "Nothing is" : std::to_string(wrong),
                                    counted(warnings, "warning")))
              << std::endl;
    if (!json.empty()) io::write_text_file(json, to_json(status, ranks));
    return status;
  }

 private:
  [[nodiscard]] std::int64_t count(Verdict verdict) const {
    std::int64_t found = 0;
    for (const Finding& finding : findings_) found += finding.verdict == verdict ? 1 : 0;
    return found;
  }

  [[nodiscard]] std::string to_json(ExitStatus status, int ranks) const {
    io::Json findings = io::Json::array();
    for (const Finding& finding : findings_)
      findings.push_back({{"check", finding.check},
                          {"verdict", to_string(finding.verdict)},
                          {"text", finding.text},
                          {"mend", finding.remedy}});
    return io::to_text({{"version", version()},
                        {"ranks", ranks},
                        {"status", static_cast<int>(status)},
                        {"findings", findings}}) +
           '\n';
  }

  std::mutex mutex_;
  std::vector<Finding> findings_;
};

/// How this process was started. Call before MPI starts: MPI itself sets mpirun's variables.
std::string launcher_name() {
  const auto is_set = [](const char* name) { return std::getenv(name) != nullptr; };
  if (is_set("OMPI_COMM_WORLD_SIZE")) return "mpirun (Open MPI)";
  if (is_set("SLURM_STEP_NUM_TASKS") && is_set("PMIX_RANK")) return "srun, PMIx";
  if (is_set("SLURM_STEP_NUM_TASKS") && is_set("PMI_RANK")) return "srun, PMI-2 or PMI-1";
  if (is_set("SLURM_STEP_NUM_TASKS")) return "srun, no PMI";
  if (is_set("FLUX_JOB_SIZE")) return "flux";
  if (is_set("PMI_RANK")) return "mpiexec (Hydra)";
  return "no launcher";
}

/// True if this process must not print. srun without PMI starts several processes that each see themselves as
/// rank 0.
bool is_quiet(const comm::Communicator& world) {
  const char* task = std::getenv("SLURM_PROCID");
  const bool is_other_task = task != nullptr && std::string_view(task) != "0";
  return !world.is_root() || (world.size() == 1 && is_other_task);
}

std::unique_ptr<doctor::PlannedRun> plan(const CommandLine& line) {
  config::Options options = line.configuration(config::For::kTrial);
  const Images images = choose_images(line, options.data);
  std::int64_t bytes = 0;
  if (io::exists(options.data.file)) {
    bytes = data::bytes_in_memory(data::read_layout(options.data),
                                  {data::names::kTrain, data::names::kEvaluated});
  } else if (options.data.file.find_first_of("*?[") == std::string::npos) {
    throw ConfigError("data.file " + options.data.file + " is not there");
  }
  nn::Network network = network_for(images, options);
  return std::make_unique<doctor::PlannedRun>(
      doctor::PlannedRun{std::move(options), std::move(network), bytes});
}

/// Ends the process if a check exceeds the time limit. Rank 0 reports the ranks that do not answer; a rank
/// that is stuck itself also reports this. Runs while the main thread is still stuck.
class LastWords {
 public:
  LastWords(Report& report, double seconds, std::string json)
      : report_(report), seconds_(seconds), json_(std::move(json)) {}

  /// Collective. Stores ranks and nodes for later messages.
  void meet(const comm::Communicator& world) {
    auto crew = std::make_unique<Crew>(Crew{world, world.split(0), world.all_gather_text(comm::host_name())});
    const std::lock_guard lock(mutex_);
    crew_ = std::move(crew);
  }

  [[noreturn]] void say(const std::string& check) {
    constexpr double kSecondsToAnswer = 2;
    constexpr std::chrono::seconds kForRankZero{4};
    const std::lock_guard lock(mutex_);
    const std::string limit = " within " + shortest(seconds_) + " s (--timeout)";
    const std::string remedy = check == "hdf5" ? "leave checkpoint.writers = one, which writes without "
                                                 "MPI-IO; mpirun --mca io romio321 (or ompio) "
                                                 "tries the other implementation; see locks"
                                               : "see what hangs there (df, ls, dmesg; ps -eo "
                                                 "pid,stat,wchan:30,cmd), leave that node out, or raise "
                                                 "--timeout where it is only slow";
    if (!crew_) {
      if (launch::is_first_of_launcher())
        end({check, Verdict::kWrong, "MPI does not start" + limit,
             "see that all nodes reach each other (mpirun --mca btl_tcp_if_include, --mca "
             "oob_tcp_if_include) and "
             "that launcher and MPI belong together"});
      std::this_thread::sleep_for(kForRankZero);
      _exit(static_cast<int>(ExitStatus::kCheckFailed));
    }
    const int rank = crew_->world.rank();
    const int waits_for = crew_->world.waits_for();
    std::vector<int> silent;
    if (waits_for >= 0) silent = comm::unresponsive_ranks(crew_->roll, kSecondsToAnswer);
    if (silent.empty()) silent.push_back(waits_for >= 0 ? waits_for : rank);
    std::vector<std::string> names;
    for (const int each : silent) names.push_back(comm::rank_on_host(each, crew_->hosts));
    if (rank == 0) end({check, Verdict::kWrong, join(names, ", ") + " did not get through" + limit, remedy});
    if (waits_for < 0)
      launch::print_failure("doctor", fmt::format("{}: {} did not get through{}", check,
                                                  comm::rank_on_host(rank, crew_->hosts), limit));
    std::this_thread::sleep_for(kForRankZero);
    _exit(static_cast<int>(ExitStatus::kCheckFailed));
  }

 private:
  struct Crew {
    comm::Communicator world, roll;
    std::vector<std::string> hosts;
  };

  [[noreturn]] void end(const Finding& finding) {
    report_.add(finding);
    try {
      (void)report_.finish(json_, crew_ ? crew_->world.size() : 1);
    } catch (...) {
      launch::print_failure("doctor", launch::current_failure().message);
    }
    _exit(static_cast<int>(ExitStatus::kCheckFailed));
  }

  Report& report_;
  double seconds_;
  std::string json_;
  std::mutex mutex_;
  std::unique_ptr<Crew> crew_;
};

/// True if `arguments` have --config.
bool names_a_file(const Arguments& arguments) {
  return std::ranges::any_of(
      arguments, [](const std::string& word) { return word.substr(0, word.find('=')) == "--config"; });
}

/// The configuration of the checks, read on every rank. If rank 0 cannot read it, the error is printed once,
/// and no check runs.
struct Asked {
  bool has_run = false;                            ///< a file, or keys of a data set and a network
  std::string run_dir{};                           ///< from the configuration; empty: unknown
  std::int64_t threads = 0;                        ///< run.threads
  launch::Failure refused{ExitStatus::kDone, {}};  ///< why rank 0 cannot read the configuration
};

Asked read_configuration(const CommandLine& line, const Arguments& arguments) {
  Asked asked{.has_run = names_a_file(arguments)};
  try {
    config::Options options = line.configuration(config::For::kPart);
    asked.has_run = asked.has_run || (!options.data.file.empty() && !options.layers.empty());
    if (asked.has_run) options = line.configuration(config::For::kTrial);
    asked.run_dir = options.dir;
    asked.threads = options.threads;
  } catch (...) {
    if (launch::is_first_of_launcher()) asked.refused = launch::current_failure();
  }
  return asked;
}

ExitStatus run_doctor_checks(const CommandLine& line, const Asked& configured) {
  const std::string json = line.text("json").value_or("");
  const double seconds = line.number("timeout", 60, 1, 1e6);
  const std::string launcher = launcher_name();
  const launch::LaunchCheck launch("doctor");
  Report report;
  LastWords last_words(report, seconds, json);
  std::optional<comm::Environment> environment;  // outlives all communicators
  launch::TimeLimit time_limit(seconds, [&](const std::string& check) { last_words.say(check); });

  doctor::DoctorRequest asked;
  asked.launcher = launcher;
  asked.dir = line.text("dir").value_or(configured.run_dir);
  asked.threads = configured.threads;
  if (configured.has_run) asked.plan = [&] { return plan(line); };
  asked.begin = [&](const std::string& check) { time_limit.enter(check); };
  time_limit.enter("mpi");
  if (const Problem doubt = launch.doubt_before_mpi(); doubt && launch::is_first_of_launcher())
    report.add({"launcher", Verdict::kWarning, doubt.what, doubt.remedy});  // now: MPI may end this process
  const Problem no_pmi = launch.problem_before_mpi();
  try {
    if (!no_pmi) environment.emplace();  // without PMI it would end this process
  } catch (const Error& error) {
    asked.mpi_problem = error.what();
  }
  const comm::Communicator world = environment ? comm::Communicator::world() : comm::Communicator::self();
  const bool quiet = is_quiet(world);
  if (!quiet) asked.tell = [&](const Finding& finding) { report.add(finding); };
  asked.launcher_problem = no_pmi ? no_pmi : launch.problem(world.size());
  try {
    if (world.size() > 1) last_words.meet(world);
    // Not before MPI starts: the others would wait in MPI_Init for a rank that has ended.
    if (const auto refused = world.broadcast_value(configured.refused.status); refused != ExitStatus::kDone) {
      if (launch::is_first_of_launcher()) launch::print_failure("doctor", configured.refused.message);
      return refused;
    }
    doctor::run_checks(asked, world);
    const ExitStatus status = quiet ? ExitStatus::kDone : report.finish(json, world.size());
    return world.broadcast_value(status);
  } catch (...) {
    const launch::Failure failure = launch::current_failure();
    if (!environment) throw;
    launch::print_failure(
        "doctor", fmt::format("{} [rank {} on {}]", failure.message, world.rank(), comm::host_name()));
    comm::Communicator::abort(static_cast<int>(failure.status));
  }
}

}  // namespace

ExitStatus run_doctor(const Arguments& arguments) {
  CommandLine line(
      "doctor", "[mpirun … | srun …] convoy doctor [--config FILE] [--dir FOLDER] [options]",
      "Looks for what is wrong with a machine before a run meets it. Start it as the run will "
      "be: by the same\n"
      "launcher, on the same nodes, with the same ranks and threads. A line a finding:\n"
      "  ok       what was measured\n"
      "  warning  a run will work, but slowly, or other programs will not; and what mends it\n"
      "  wrong    a run will fail, or be of no use; why, and what mends it\n"
      "Looks at launcher and PMI, MPI, builds, instruction sets, bindings, threads, limits, "
      "memory, TMPDIR, shared\n"
      "memory, clocks, network, and the file system of run.dir: shared by all nodes, room, "
      "quota, locks, HDF5.\n"
      "With --config it compares with what that run takes; of single keys it takes run.threads and run.dir.\n"
      "What it writes in run.dir (or above, where it is not there yet) it removes. Status 0: nothing is "
      "wrong; "
      "1:\n"
      "something is.");
  line.add_configuration();
  line.add_value("dir", "FOLDER",
                 "try this folder's file system; default: run.dir, else the working directory");
  line.add_value("timeout", "S", "seconds after which a check that hangs ends it all; default 60");
  line.add_value("json", "FILE", "write the findings there, too");
  add_images(line);
  if (!line.parse(arguments)) return ExitStatus::kDone;
  // A configuration error on rank 0 affects all ranks; an error on another rank only is a finding.
  return run_doctor_checks(line, read_configuration(line, arguments));
}

}  // namespace convoy::apps
