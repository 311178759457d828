#include "convoy/step/watchdog.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/places.hpp"
#include "convoy/core/text.hpp"

namespace convoy::step {
namespace {

using Seconds = Clock::Seconds;

constexpr double kLastWordsSeconds = 2;  // time for the other ranks' watchdogs to print

const char* describe(Phase phase) {
  switch (phase) {
    case Phase::kData:
      return "waiting for images to be read";
    case Phase::kStep:
      return "computing and exchanging gradients";
    case Phase::kEvaluation:
      return "evaluating";
    case Phase::kCheckpoint:
      return "writing a checkpoint";
    case Phase::kAgreement:
      return "agreeing with the other ranks on how to go on";
  }
  return "";
}

void say(const std::string& message) {
  const std::string line = "convoy train: " + message + '\n';
  // A single write(), because a stuck thread may hold the stream's lock.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

Watchdog::Watchdog(int rank, std::vector<std::string> hosts, double timeout_seconds,
                   const Heartbeat& heartbeat, Others others, End end, const Clock& clock)
    : rank_(rank),
      hosts_(std::move(hosts)),
      timeout_seconds_(timeout_seconds),
      heartbeat_(heartbeat),
      others_(std::move(others)),
      end_(std::move(end)),
      clock_(clock) {
  if (timeout_seconds > 0) thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_leaving_ = true;
  }
  leave_.notify_all();
  thread_.join();
}

void Watchdog::end_process(const std::string& message) {
  say(message);
  std::this_thread::sleep_for(Seconds(kLastWordsSeconds));
  _exit(static_cast<int>(ExitStatus::kStalled));
}

std::string Watchdog::message() const {
  const int other = others_.waits_for();
  return fmt::format(
      "no progress for {} s (step {}, {}{}); a rank or node that says nothing here has stopped; resume "
      "without it, or raise comm.timeout [{}]",
      shortest(timeout_seconds_), heartbeat_.step(), describe(heartbeat_.phase()),
      other >= 0 && other != rank_ ? ", waits for " + comm::rank_on_host(other, hosts_) : std::string(),
      comm::rank_on_host(rank_, hosts_));
}

void Watchdog::report_unresponsive() const {
  std::string missing;
  for (const int rank : others_.find_unresponsive())
    missing += (missing.empty() ? "" : ", ") + comm::rank_on_host(rank, hosts_);
  if (!missing.empty())
    say(fmt::format("no answer from {} [{}]", missing, comm::rank_on_host(rank_, hosts_)));
}

void Watchdog::watch() {
  leave_first_place();
  const Seconds pause(std::clamp(timeout_seconds_ / 20, 0.01, 1.0));
  std::int64_t seen = heartbeat_.ticks();
  Clock::TimePoint since = clock_.now();
  Clock::TimePoint woken = since;
  std::unique_lock lock(mutex_);
  while (!clock_.wait_for(lock, leave_, pause, [this] { return is_leaving_; })) {
    const Clock::TimePoint now = clock_.now();
    const std::int64_t ticks = heartbeat_.ticks();
    // If this process was stopped, restart the timeout; otherwise it would blame other ranks for its own
    // pause.
    const bool was_stopped = now - woken > 5 * pause + Seconds(1);
    woken = now;
    if (ticks != seen || was_stopped) {
      seen = ticks;
      since = now;
    } else if (now - since > Seconds(timeout_seconds_)) {
      if (others_.find_unresponsive)
        std::thread([this] { report_unresponsive(); }).detach();  // detached: it may hang
      end_(message());
      return;
    }
  }
}

}  // namespace convoy::step
