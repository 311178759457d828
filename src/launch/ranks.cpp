#include "convoy/launch/ranks.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <new>
#include <system_error>
#include <thread>

#include "convoy/comm/rendezvous.hpp"
#include "convoy/core/text.hpp"
#include "convoy/launch/launcher.hpp"

namespace convoy::launch {
namespace {

// Long enough for every rank to reach a common error, short enough that the job does not seem to hang.
constexpr double kMeetingSeconds = 1.5;
// Of ranks that fail alone, the lowest prints and ends the job. The others print if it does not within this
// time.
constexpr std::chrono::seconds kForALowerRank{10};
// Time for the launcher to forward this rank's message: MPICH's launcher drops unread output when the job
// ends.
constexpr std::chrono::milliseconds kLastWords{100};

// Time for the launcher's first process to print a common failure, on a busy node.
constexpr std::chrono::seconds kForTheFirst{2};

volatile std::sig_atomic_t status_at_sigterm = 0;

/// " [rank 2 on node7]".
std::string place(std::int64_t rank, const std::string& host) {
  return fmt::format(" [rank {} on {}]", rank, host);
}

/// Collective over all ranks, which all failed: prints the first rank's message for all.
ExitStatus report_together(std::string_view command, const comm::Communicator& ranks, const Failure& mine) {
  const std::vector<std::string> messages = ranks.all_gather_text(mine.message);
  const std::vector<std::string> hosts = ranks.all_gather_text(comm::host_name());
  const int status = ranks.broadcast_value(static_cast<int>(mine.status));
  const bool is_common = std::all_of(messages.begin(), messages.end(),
                                     [&](const std::string& text) { return text == messages[0]; });
  if (ranks.is_root()) print_failure(command, messages[0] + (is_common ? std::string() : place(0, hosts[0])));
  return static_cast<ExitStatus>(status);
}

}  // namespace

Failure current_failure() {
  assert(std::current_exception() != nullptr);
  try {
    throw;
  } catch (const Error& error) {
    return {error.status(), error.what()};
  } catch (const std::bad_alloc&) {
    return {ExitStatus::kInputOutput,
            "out of memory; use fewer ranks or threads a node, or a smaller micro-batch"};
  } catch (const std::system_error& error) {
    return {ExitStatus::kInputOutput, error.what()};
  } catch (const std::exception& error) {
    return {ExitStatus::kInputOutput, std::string("unexpected error (") + error.what() +
                                          "); this is a fault of Convoy's own, please report it"};
  } catch (...) {
    return {ExitStatus::kInputOutput,
            "unexpected error of an unknown kind; this is a fault of Convoy's own, please report it"};
  }
}

void print_failure(std::string_view command, std::string_view message) {
  std::string line = "convoy";
  if (!command.empty()) line += ' ' + std::string(command);
  line += ": " + std::string(message) + '\n';
  std::cout.flush();
  std::cerr << line << std::flush;  // one write: lines of several ranks do not mix
}

ExitStatus end_before_meeting(std::string_view command, const Failure& failure, bool is_common) {
  if (launched_processes() > 1) {
    status_at_sigterm = static_cast<int>(failure.status);
    std::signal(SIGTERM, [](int) { _exit(status_at_sigterm); });
  }
  if (is_first_of_launcher()) {
    print_failure(command, failure.message);
  } else {
    std::this_thread::sleep_for(kForTheFirst);
    if (!is_common && is_first_of_host())
      print_failure(command, failure.message + place(launched_rank(), comm::host_name()));
  }
  return failure.status;
}

ExitStatus run_with_ranks(std::string_view command,
                          const std::function<ExitStatus(const comm::Communicator&)>& body) {
  const LaunchCheck launch(command);
  if (const Problem problem = launch.problem_before_mpi())
    return end_before_meeting(command, {ExitStatus::kUsage, problem.text()}, true);
  const Problem doubt = launch.doubt_before_mpi();
  if (doubt && is_first_of_launcher()) print_failure(command, "warning: " + doubt.text());
  const comm::Environment environment;
  // A separate communicator keeps the failure messages apart from pending messages.
  const comm::Communicator last_words = comm::Communicator::world();
  if (const Problem problem = launch.problem(last_words.size()))
    return end_before_meeting(command, {ExitStatus::kUsage, problem.text()}, true);
  try {
    return body(comm::Communicator::world());
  } catch (...) {
    const Failure failure = current_failure();
    const int rank = last_words.rank();
    const comm::Meeting meeting = comm::meet(last_words, kMeetingSeconds);
    if (meeting.is_complete) return report_together(command, last_words, failure);
    if (meeting.first < rank) std::this_thread::sleep_for(kForALowerRank);
    print_failure(command, failure.message + place(rank, comm::host_name()));
    std::this_thread::sleep_for(kLastWords);
    comm::Communicator::abort(static_cast<int>(failure.status));
  }
}

}  // namespace convoy::launch
