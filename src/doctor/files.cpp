// Checks of the file system of run.dir.

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <thread>

#include "check_context.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::doctor {
namespace {

/// Network file systems cache: a node may see old contents for a while.
constexpr double kSecondsToBeSeen = 6;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool comes_true(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(kSecondsToBeSeen);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::string remedy_of_write(const std::string& problem) {
  if (problem.find("Read-only") != std::string::npos)
    return "choose a run.dir that is mounted for writing here (mount | grep …); clusters often mount home "
           "folders "
           "read-only on compute nodes";
  if (problem.find("Permission") != std::string::npos)
    return "choose a run.dir of your own, or chmod u+w it (ls -ld shows whose it is)";
  if (problem.find("No space") != std::string::npos || problem.find("quota") != std::string::npos)
    return "remove what is not needed (df -h, quota -s; du -sh *), or choose another run.dir";
  if (problem.find("too large") != std::string::npos)
    return "ulimit -f unlimited before the launcher: it limits the size of files";
  return "choose a run.dir that can be written; --dir FOLDER tries another one";
}

}  // namespace

std::string RunFolder::write_first(double& seconds, double& ahead) {
  try {
    folder_ = machine::nearest_folder(context_.dir);
    if (!io::is_folder(folder_)) return folder_ + " is there, and no folder";
    scratch_ = std::make_unique<machine::ScratchFolder>(folder_);
    seconds = machine::timed_write(scratch_->path() + "/written", kMebibyte);
    ahead = machine::written_at(scratch_->path() + "/written") - seconds_now();
    io::flush_to_disk(scratch_->path());
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

/// Problems by rank. All ranks look, since their working directories may differ; one rank per node writes.
std::vector<std::string> RunFolder::try_sharing() const {
  const comm::Communicator& world = context_.world;
  const bool is_first = context_.node.is_root();
  const std::string token = world.broadcast(std::to_string(seconds_now()) + ' ' + comm::host_name());
  const std::string writer = "rank 0 on " + context_.host(0);
  std::vector<std::string> problems(static_cast<std::size_t>(world.size()));
  // A step on rank 0, then one on the first rank of every other node; an earlier problem is kept.
  const auto step = [&](bool is_mine, const std::function<void()>& action) {
    const std::vector<std::string> met = try_on_all(world, [&] {
      if (is_mine) action();
    });
    for (std::size_t rank = 0; rank < met.size(); ++rank)
      if (problems[rank].empty()) problems[rank] = met[rank];
  };
  const auto is_read = [&](const char* name) {
    return io::exists(path(name)) && io::read_text_file(path(name)) == token;
  };
  step(world.is_root(), [&] { io::write_text_file(path("old-name"), token); });
  step(!world.is_root(), [&] {
    if (!comes_true([&] { return is_read("old-name"); }))
      throw IoError(fmt::format(
          "what {} writes in {} is not there: another folder of the same name, or another working directory",
          writer, folder_));
  });
  step(world.is_root(), [&] { io::rename_durably(path("old-name"), path("new-name")); });
  step(!world.is_root() && problems[static_cast<std::size_t>(world.rank())].empty(), [&] {
    if (!comes_true([&] { return is_read("new-name") && !io::exists(path("old-name")); }))
      throw IoError(fmt::format("a file that {} renamed has its old name for longer than {} s", writer,
                                shortest(kSecondsToBeSeen)));
    if (is_first) io::write_text_file(path("from-" + std::to_string(world.rank())), token);
  });
  step(world.is_root(), [&] {
    for (const int first : context_.firsts) {
      const std::string name = "from-" + std::to_string(first);
      if (first != 0 && problems[static_cast<std::size_t>(first)].empty() &&
          !comes_true([&] { return is_read(name.c_str()); }))
        throw IoError(fmt::format("what rank {} on {} writes is not seen", first, context_.host(first)));
    }
  });
  return problems;
}

Findings RunFolder::check_sharing() {
  double seconds = 0;
  double ahead = 0;  // clock of the file system minus clock of this node
  const std::string problem =
      context_.world.broadcast(context_.world.is_root() ? write_first(seconds, ahead) : std::string());
  folder_ = context_.world.broadcast(folder_);
  if (!problem.empty())
    return {wrong(fmt::format("{} [rank 0 on {}]", problem, context_.host(0)), remedy_of_write(problem))};
  scratch_path_ = context_.world.broadcast(scratch_ ? scratch_->path() : std::string());
  Findings found;
  for (const auto& [each, ranks] : ranks_by(try_sharing()))
    found.push_back(wrong(fmt::format("{} [{}]", each, context_.named(ranks)),
                          "put run.dir on a file system that all nodes mount at this path (df -h " + folder_ +
                              " on each of them shows which it is); --dir FOLDER tries another"));
  is_shared_ = found.empty();
  if (!context_.world.is_root()) return found;

  const machine::FileSystem system = machine::file_system_of(folder_);
  constexpr double kLongWrite = 2;
  constexpr double kMostAhead = 3;
  if (found.empty() && seconds > kLongWrite)
    found.push_back(warning(
        fmt::format("1 MiB took {:.1f} s until it was on the disk (fsync); checkpoints will take long",
                    seconds),
        "choose another run.dir, such as the parallel file system; --dir FOLDER tries it"));
  if (std::fabs(ahead) > kMostAhead)
    found.push_back(warning(fmt::format("the file system's clock is {:.1f} s {} that of {}", std::fabs(ahead),
                                        ahead > 0 ? "ahead of" : "behind", context_.host(0)),
                            "have the administrator set both by NTP (timedatectl, chronyc tracking)"));
  if (found.empty() && system.is_of_one_host && system.type != "overlay")
    found.push_back(
        warning(fmt::format("{} is {}: what lies there is gone with the node's memory", folder_, system.type),
                "choose a run.dir on a disk"));
  if (found.empty())
    found.push_back(ok(fmt::format(
        "{} ({}): 1 MiB on the disk in {:.3f} s, {}", folder_, system.type, seconds,
        context_.hosts() > 1 ? "written, renamed and seen by all nodes" : "written and renamed")));
  return found;
}

Findings RunFolder::check_space() const {
  if (!context_.world.is_root()) return {ok("")};
  Findings found;
  const bool is_planned = context_.needs.checkpoint_bytes > 0;
  const std::int64_t file = is_planned ? context_.needs.checkpoint_bytes : 16 * kMebibyte;
  const std::int64_t all = is_planned ? context_.needs.files * file : 4 * file;
  const std::string need =
      is_planned
          ? fmt::format("{} of {} take {}", counted(context_.needs.files, "checkpoint"), in_bytes(file),
                        in_bytes(all))
          : "checkpoints of a small network take " + in_bytes(all) + " (--config tells what a run takes)";
  const std::string remedy = "remove what is not needed (df -h " + folder_ +
                             "; du -sh *), lower checkpoint.keep, or choose another run.dir";
  const std::string at = " [rank 0 on " + context_.host(0) + ']';
  try {
    const machine::FileSystem system = machine::file_system_of(folder_);
    if (system.free_bytes < all)
      found.push_back(
          wrong(fmt::format("{} free in {}, {}{}", in_bytes(system.free_bytes), folder_, need, at), remedy));
    constexpr std::int64_t kFewFiles = 64;
    if (system.free_files >= 0 && system.free_files < kFewFiles)
      found.push_back(wrong(
          fmt::format("{} has room for {} (inodes){}", folder_, counted(system.free_files, "more file"), at),
          "remove files (df -i " + folder_ + " shows how many there are)"));
    const bool is_limited = !context_.text(0, "limit file size").empty();
    const double limit = context_.number(0, "limit file size");
    if (is_limited && limit < static_cast<double>(file))
      found.push_back(
          wrong(fmt::format("no file of a rank may grow beyond {} (RLIMIT_FSIZE), a checkpoint takes {}{}",
                            in_bytes(static_cast<std::int64_t>(limit)), in_bytes(file), at),
                "ulimit -f unlimited before the launcher"));
    const machine::QuotaAnswer quota = machine::ask_quota(folder_);
    if (quota.tightest && quota.tightest->free_bytes < all)
      found.push_back(wrong(fmt::format("the quota of {} leaves {} in {}, {}{}", quota.tightest->whose,
                                        in_bytes(quota.tightest->free_bytes), folder_, need, at),
                            "remove what is not needed (quota -s; du -sh *), or ask for more"));
    if (found.empty()) {
      const std::int64_t room =
          is_limited && limit < static_cast<double>(all) ? static_cast<std::int64_t>(limit) : all;
      if (!scratch_path_.empty()) machine::try_room_in(scratch_path_, room);
      const std::string told = quota.tightest ? in_bytes(quota.tightest->free_bytes) + " left of the quota"
                               : quota.is_known
                                   ? "no quota"
                                   : "quota not known (" + system.type + " does not tell; quota -s may)";
      found.push_back(ok(fmt::format("{} free, {}; {}", in_bytes(system.free_bytes), told, need)));
    }
  } catch (const Error& error) {
    found.push_back(wrong(error.what() + at, remedy));
  }
  return found;
}

Findings RunFolder::check_locks() const {
  if (scratch_path_.empty())
    return {warning("not tried, since nothing can be written", "mend run.dir first")};
  const std::string own = path("locked-" + std::to_string(context_.world.rank()));
  std::vector<std::string> without = context_.world.all_gather_text([&] {
    if (!context_.node.is_root() || (!is_shared_ && !context_.world.is_root())) return std::string();
    try {
      io::write_text_file(own, "");
      const machine::Locks locks = machine::try_locks(own);
      return locks.flock + (locks.flock.empty() || locks.fcntl.empty() ? "" : ", ") + locks.fcntl;
    } catch (const Error& error) {
      return std::string(error.what());
    }
  }());
  Findings found;
  for (const auto& [problem, ranks] : ranks_by(without)) {
    const std::string setting = context_.text(ranks.front(), "HDF5_USE_FILE_LOCKING");
    const std::string text = fmt::format("no file locks ({}) [{}]: ", problem, context_.named(ranks));
    const std::string remedy = "export HDF5_USE_FILE_LOCKING=FALSE";
    if (setting == "TRUE" || setting == "1" || setting == "BEST_EFFORT")
      found.push_back(
          wrong(fmt::format("{}HDF5_USE_FILE_LOCKING={} makes HDF5 want them", text, setting), remedy));
    else
      found.push_back(warning(
          text + "Convoy opens files without, h5py, h5dump and others need " + "HDF5_USE_FILE_LOCKING=FALSE",
          setting == "FALSE" || setting == "0" ? "nothing: it is set" : remedy));
  }
  if (found.empty()) found.push_back(ok("flock and fcntl lock files there"));
  return found;
}

namespace {

constexpr std::int64_t kColumns = 65536;  // of the files that check_hdf5() writes

/// Collective over `ranks`: each of the first `rows` ranks writes its row, the others have nothing to write.
void write_rows(const std::string& path, const comm::Communicator& ranks, std::int64_t rows) {
  io::File file = io::File::create(path, ranks);
  file.create_dataset<float>("/numbers", {rows, kColumns});
  const std::int64_t row = ranks.rank();
  const Range mine = row < rows ? Range{row, row + 1} : Range{rows, rows};
  const std::vector<float> values(static_cast<std::size_t>(mine.size() * kColumns),
                                  static_cast<float>(row + 1));
  file.write_rows<float>("/numbers", mine, values);
  file.close();
}

/// Throws DataError if the file does not hold what write_rows() wrote.
void read_rows(const std::string& path, std::int64_t rows) {
  const std::vector<float> values = io::File::open(path).read<float>("/numbers", {rows, kColumns});
  for (std::int64_t i = 0; i < rows * kColumns; ++i) {
    const std::int64_t row = i / kColumns;
    if (values[static_cast<std::size_t>(i)] != static_cast<float>(row + 1))
      throw DataError(fmt::format("row {} reads back other than it was written", row));
  }
}

}  // namespace

Findings RunFolder::check_hdf5() const {
  if (!is_shared_)
    return {warning("not tried, since the nodes do not share the folder", "mend run.dir first")};
  const comm::Communicator& world = context_.world;
  const std::string remedy = "choose another run.dir; --dir FOLDER tries one";
  Findings found;
  const auto alone = try_on_all(world, [&] {
    if (!world.is_root()) return;
    write_rows(path("alone.h5"), comm::Communicator::self(), 1);
    read_rows(path("alone.h5"), 1);
  });
  for (const auto& [problem, ranks] : ranks_by(alone))
    found.push_back(wrong(fmt::format("{} [{}]", problem, context_.named(ranks)), remedy));
  if (world.size() == 1 || !found.empty()) {
    if (found.empty()) found.push_back(ok("written and read back by one rank"));
    return found;
  }
  // The last rank has nothing to write: an empty selection in a collective write.
  const std::int64_t rows = std::max(world.size() - 1, 1);
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::string> together(static_cast<std::size_t>(world.size()));
  try {
    write_rows(path("together.h5"), world, rows);
  } catch (const Error& error) {  // the same on all ranks (io::agreed)
    std::ranges::fill(together, error.what());
  }
  if (together.front().empty())
    together = try_on_all(world, [&] {
      if (context_.node.is_root()) read_rows(path("together.h5"), rows);
    });
  for (const auto& [problem, ranks] : ranks_by(together)) {
    const std::string text = fmt::format("collective write: {} [{}]", problem, context_.named(ranks));
    if (context_.run && context_.run->options.checkpoint_writers != model::Writers::kOne)
      found.push_back(wrong(text, "checkpoint.writers = one"));
    else
      found.push_back(
          warning(text + "; rank 0 alone can write, as train does unless told otherwise",
                  "leave checkpoint.writers = one; mpirun --mca io romio321 (or ompio) tries the other "
                  "implementation of MPI-IO"));
  }
  if (found.empty())
    found.push_back(ok(fmt::format(
        "written by all ranks together in {:.2f} s, rank {} with nothing to write, and read back by {}",
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), world.size() - 1,
        context_.hosts() > 1 ? "every node" : "one rank")));
  return found;
}

}  // namespace convoy::doctor
