#include "convoy/train/run_directory.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/io/json.hpp"
#include "convoy/model/checkpoint.hpp"
#include "owner.hpp"

namespace convoy::train {
namespace {

/// The step of a line; no value for other lines (for example, one cut short by a crash).
std::optional<std::int64_t> step_of(std::string_view line) {
  const io::Json json = io::Json::parse(line, nullptr, false);
  const auto step = json.find("step");  // end() unless it is an object
  if (step == json.end() || !step->is_number_integer()) return std::nullopt;
  return step->get<std::int64_t>();
}

}  // namespace

RunDirectory::RunDirectory(std::string path, bool takes_over)
    : path_(std::move(path)), takes_over_(takes_over) {}

RunDirectory::RunDirectory(RunDirectory&&) noexcept = default;

RunDirectory::~RunDirectory() {
  if (heartbeat_ == nullptr) return;
  heartbeat_.reset();
  try {
    require_ownership();
    OwnerRecord record = OwnerRecord::parse(identity_);
    record.has_ended = true;
    io::write_text_file(owner(), record.text());
  } catch (const Error&) {  // a later start finds out by itself that this run has ended
  }
}

void RunDirectory::require_free() {
  if (takes_over_ || !io::exists(owner())) return;
  const std::string found = io::read_text_file(owner());
  if (found == silent_) return;
  require_no_live_owner(owner(), OwnerTimes{});
  silent_ = found;
}

void RunDirectory::claim() {
  require_free();
  io::make_directories(checkpoints());
  identity_ = OwnerRecord::of_this_process().text();
  // Two starts of one process within a second differ too.
  identity_.insert(identity_.size() - 1,
                   fmt::format(" claim {}", std::chrono::system_clock::now().time_since_epoch().count()));
  io::write_text_file(owner(), identity_);
  heartbeat_ = std::make_unique<Heartbeat>(owner(), OwnerTimes{}.between_beats);
  // Incomplete files of killed runs. A run that is still alive has just lost the folder and will stop.
  io::sweep_temporaries(path_, "", io::Sweep::kAll);
  io::sweep_temporaries(checkpoints(), "", io::Sweep::kAll);
}

void RunDirectory::require_ownership() const {
  std::string current;
  try {
    current = io::read_text_file(owner());
  } catch (const IoError&) {  // exists() is checked only now: the file may disappear at any time
    if (io::exists(owner())) throw;
    throw IoError(fmt::format(
        "cannot go on in run.dir {} ({} is gone: somebody removed it, or the disk is not there any more)",
        path_, owner()));
  }
  if (current == identity_) return;
  throw Error(ExitStatus::kInputOutput, fmt::format("run.dir {} belongs to another run now ({} says '{}'); "
                                                    "this run stops and leaves everything as it is",
                                                    path_, owner(), OwnerRecord::parse(current).in_words()));
}

void RunDirectory::write_config(std::string_view ini) const {
  io::write_text_file(path_ + "/config.ini", ini, [this] { require_ownership(); });
}

void RunDirectory::append_lines(LineFile which, const std::string& lines) const {
  const std::string path = path_of(which);
  require_ownership();
  const int file = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) throw IoError(fmt::format("cannot open {} ({})", path, std::strerror(errno)));
  const off_t before = lseek(file, 0, SEEK_END);
  // One call, so that other writers cannot split a line.
  const ssize_t written = write(file, lines.data(), lines.size());
  const int reason = errno;
  const bool is_whole = written == static_cast<ssize_t>(lines.size());
  const bool is_undone = is_whole || written <= 0 || (before >= 0 && ftruncate(file, before) == 0);
  if (close(file) != 0 || !is_whole)
    throw IoError(fmt::format("cannot write {} ({}{}", path,
                              written < 0 ? std::strerror(reason) : "disk full",
                              is_undone ? ")" : "; its last line is torn)"));
}

void RunDirectory::cut_lines(LineFile file, std::int64_t step) const {
  const std::string path = path_of(file);
  if (!io::exists(path)) return;
  const std::string text = io::read_text_file(path, std::int64_t{1} << 40);
  std::string kept;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    const auto line_step = step_of(line);
    if (line_step && *line_step <= step) kept.append(line).push_back('\n');
    begin = end + 1;
  }
  io::write_text_file(path, kept, [this] { require_ownership(); });
}

bool RunDirectory::require_checkpoints() const {
  require_ownership();
  const bool is_there = io::is_folder(checkpoints());
  if (!is_there) io::make_directories(checkpoints());
  return is_there;
}

void RunDirectory::prune_checkpoints(std::int64_t keep, const std::string& newest,
                                     const std::string& best) const {
  const std::vector<std::string> names = model::list_checkpoints(checkpoints());
  // Checkpoints newer than `newest` were found damaged when this run started: do not count them; the run will
  // overwrite them.
  const auto found = std::ranges::find(names, newest);
  const auto first = found == names.end() ? 0 : found - names.begin();
  for (auto i = static_cast<std::size_t>(first + keep); i < names.size(); ++i) {
    if (names[i] == best) continue;
    require_ownership();
    io::remove_file(checkpoints() + '/' + names[i]);
  }
}

void RunDirectory::link_best(const std::string& name) const {
  const std::string made = checkpoints() + "/.best.h5";
  const std::string place = checkpoints() + "/best.h5";
  require_ownership();
  std::error_code error;
  std::filesystem::remove(made, error);
  std::filesystem::create_symlink(name, made, error);
  if (!error) std::filesystem::rename(made, place, error);
  if (error) throw IoError("cannot make " + place + " (" + error.message() + ")");
}

}  // namespace convoy::train
