#include "owner.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/places.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::train {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// When process `pid` of this node started, in ticks; nothing if there is none, or it only waits to be
/// reaped.
std::optional<std::string> start_of_process(const std::string& pid) {
  constexpr std::size_t kStateWord = 0;   // after the name in parentheses
  constexpr std::size_t kStartWord = 19;  // proc(5): field 22
  std::ifstream file("/proc/" + pid + "/stat");
  const std::string line{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto name_end = line.rfind(')');  // the process name may contain ")"
  if (name_end == std::string::npos) return std::nullopt;
  const std::vector<std::string> words = split_words(std::string_view(line).substr(name_end + 1));
  if (words.size() <= kStartWord || words[kStateWord] == "Z" || words[kStateWord] == "X") return std::nullopt;
  return words[kStartWord];
}

/// The time of the last change. Opens the file: network file systems then ask their server.
std::optional<io::FileState> last_sign(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  ::close(file);
  return io::file_state(path);
}

/// True if the file is touched or written within `silence`.
bool gives_signs(const std::string& path, std::chrono::milliseconds silence) {
  constexpr std::chrono::milliseconds kBetweenLooks{100};
  const auto first = last_sign(path);
  for (auto waited = std::chrono::milliseconds(0); waited < silence; waited += kBetweenLooks) {
    std::this_thread::sleep_for(kBetweenLooks);
    if (last_sign(path) != first) return true;
  }
  return false;
}

bool is_later_start_of_same_job(const OwnerRecord& owner, const OwnerRecord& mine) {
  if (owner.job.empty() || owner.job != mine.job) return false;
  return parse_integer(mine.restart).value_or(0) > parse_integer(owner.restart).value_or(0);
}

}  // namespace

OwnerRecord OwnerRecord::of_this_process() {
  const std::string pid = std::to_string(getpid());
  std::string job = variable("SLURM_JOB_ID");
  if (job.empty()) job = variable("PBS_JOBID");
  return {.host = comm::host_name(),
          .pid = pid,
          .process_start = start_of_process(pid).value_or("0"),
          .time = fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::time(nullptr))),
          .job = std::move(job),
          .restart = variable("SLURM_RESTART_COUNT")};
}

OwnerRecord OwnerRecord::parse(const std::string& text) {
  const std::vector<std::string> words = split_words(text);
  OwnerRecord record;
  if (!words.empty()) record.host = words.front();
  for (std::size_t i = 1; i < words.size(); i += 2) {
    const std::string value = i + 1 < words.size() ? words[i + 1] : "";
    if (words[i] == "pid") record.pid = value;
    if (words[i] == "ticks") record.process_start = value;
    if (words[i] == "started") record.time = value;
    if (words[i] == "job") record.job = value;
    if (words[i] == "restart") record.restart = value;
    if (words[i] == "ended") record.has_ended = true;
  }
  return record;
}

std::string OwnerRecord::text() const {
  std::string line = fmt::format("{} pid {} ticks {} started {}", host, pid, process_start, time);
  if (!job.empty()) line += fmt::format(" job {} restart {}", job, restart.empty() ? "0" : restart);
  return line + (has_ended ? " ended\n" : "\n");
}

std::string OwnerRecord::in_words() const {
  return fmt::format("{} pid {}{}, started {}", host, pid, job.empty() ? "" : ", job " + job, time);
}

void require_no_live_owner(const std::string& path, const OwnerTimes& times) {
  if (!io::exists(path)) return;
  const OwnerRecord owner = OwnerRecord::parse(io::read_text_file(path));
  const OwnerRecord mine = OwnerRecord::of_this_process();
  if (owner.has_ended || owner.pid.empty() || is_later_start_of_same_job(owner, mine)) return;
  if (owner.host == mine.host) {
    const auto start = start_of_process(owner.pid);
    const bool is_other = !owner.process_start.empty() && start != owner.process_start;
    if (!start || is_other) return;
  } else if (!gives_signs(path, times.silence)) {
    return;
  }
  throw ConfigError(
      fmt::format("run.dir {} belongs to a run that is alive ({}); wait for its end, name another "
                  "run.dir, or stop that run and go on here with --take-over",
                  io::folder_of(path), owner.in_words()));
}

Heartbeat::Heartbeat(std::string path, std::chrono::milliseconds between_beats)
    : path_(std::move(path)), between_beats_(between_beats), thread_([this] { beat(); }) {}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  wakes_.notify_all();
  thread_.join();
}

void Heartbeat::beat() {
  leave_first_place();
  std::unique_lock lock(mutex_);
  while (!wakes_.wait_for(lock, between_beats_, [this] { return is_over_; })) {
    lock.unlock();
    // A failure is no concern of the run: its next checkpoint tells of the file system.
    (void)::utimensat(AT_FDCWD, path_.c_str(), nullptr, 0);
    lock.lock();
  }
}

}  // namespace convoy::train
