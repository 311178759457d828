#include "convoy/io/file_system.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/descriptor.hpp"
#include "convoy/io/file_kind.hpp"

namespace convoy::io {
namespace {

constexpr std::string_view kTemporarySuffix = ".tmp";

// Replaces characters that have a meaning in a path or in our name pattern.
std::string plain(std::string text) {
  std::ranges::replace_if(
      text, [](char ch) { return ch == '/' || ch == '.' || ch == ' '; }, '-');
  return text;
}

std::string job_id() {
  for (const char* variable : {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID"}) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != '\0') return plain(value);
  }
  return "nojob";
}

// The last two words of `<job>.<host>.<pid>` in the name of a temporary file. The target's name may contain
// dots.
struct Writer {
  std::string host;
  std::int64_t pid = 0;
};

std::optional<Writer> writer_of(std::string_view name, std::string_view target) {
  if (!name.starts_with('.') || !name.ends_with(kTemporarySuffix)) return std::nullopt;
  name.remove_prefix(1);
  name.remove_suffix(kTemporarySuffix.size());
  std::vector<std::string_view> words;
  for (int i = 0; i < 3; ++i) {
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos) return std::nullopt;
    words.push_back(name.substr(dot + 1));
    name = name.substr(0, dot);
  }
  const auto pid = parse_integer(words[0]);
  if (!pid || *pid <= 0 || (!target.empty() && name != target)) return std::nullopt;
  return Writer{std::string(words[1]), *pid};
}

/// Also true for a zombie process (the first process of some containers never reaps).
bool is_gone(std::int64_t pid) {
  if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return true;
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  const std::string line{std::istreambuf_iterator<char>(stat), std::istreambuf_iterator<char>()};
  const auto name_end = line.rfind(')');  // the process name may contain ")"
  return name_end != std::string::npos && line.substr(name_end).starts_with(") Z");
}

// stat(2) of `path`, following links. Returns 0, or the errno if the target is absent.
int look_up(const std::string& path, struct stat& status) {
  if (::stat(path.c_str(), &status) == 0) return 0;
  const bool is_missing = errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG;
  if (!is_missing) throw_errno("look up", path, errno);
  return errno;
}

}  // namespace

void throw_errno(const std::string& doing, const std::string& path, int code) {
  throw IoError(
      fmt::format("cannot {} {} ({}){}", doing, path, std::generic_category().message(code),
                  code == ENOSPC || code == EDQUOT ? "; free some space or name another place" : ""));
}

Descriptor::Descriptor(const std::string& path, int flags, const std::string& doing) : path_(path) {
  do {
    descriptor_ = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) throw_errno(doing, path, errno);
}

Descriptor::~Descriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::int64_t Descriptor::read(void* data, std::int64_t bytes, std::int64_t offset) const {
  std::int64_t done = 0;
  while (done < bytes) {
    const ssize_t got = ::pread(descriptor_, static_cast<char*>(data) + done,
                                static_cast<std::size_t>(bytes - done), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read", path_, errno);
    if (got == 0) break;
    done += got;
  }
  return done;
}

void Descriptor::write(const void* data, std::int64_t bytes, std::int64_t offset) const {
  std::int64_t done = 0;
  while (done < bytes) {
    const ssize_t put = ::pwrite(descriptor_, static_cast<const char*>(data) + done,
                                 static_cast<std::size_t>(bytes - done), offset + done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw_errno("write", path_, errno);
    done += put;
  }
}

std::int64_t Descriptor::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) throw_errno("read the size of", path_, errno);
  return status.st_size;
}

bool Descriptor::is_regular() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) throw_errno("look up", path_, errno);
  return S_ISREG(status.st_mode);
}

void Descriptor::try_room(std::int64_t bytes) const {
  if (bytes == 0) return;
  if (::fallocate(descriptor_, 0, 0, bytes) == 0) {
    if (::ftruncate(descriptor_, 0) != 0) throw_errno("write", path_, errno);
  } else if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) {
    throw_errno("write " + grouped(bytes) + " bytes to", path_, errno);
  } else {
    // If the file system cannot reserve space, compare with its reported free space.
    struct statvfs room {};
    if (::fstatvfs(descriptor_, &room) == 0 &&
        static_cast<std::uint64_t>(bytes) / room.f_frsize > static_cast<std::uint64_t>(room.f_bavail))
      throw_errno("write " + grouped(bytes) + " bytes to", path_, ENOSPC);
  }
}

void Descriptor::flush() const {
  // Some file systems cannot flush folders and return EINVAL; nothing else can be done.
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != ENOTSUP) throw_errno("flush", path_, errno);
}

void Descriptor::close() {
  // Network file systems may report a failed write only at close.
  const int result = ::close(std::exchange(descriptor_, -1));
  if (result != 0 && errno != EINTR) throw_errno("close", path_, errno);
}

std::int64_t file_size(const std::string& path) {
  if (!is_folder(path)) require_regular_file(path);
  return Descriptor(path, O_RDONLY, "open").size();
}

bool exists(const std::string& path) {
  struct stat status {};
  const int code = look_up(path, status);
  if (code == ELOOP) throw_errno("look up", path, code);
  return code == 0;
}

bool is_dead_link(const std::string& path) {
  struct stat link {};
  struct stat status {};
  return ::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode) && look_up(path, status) != 0;
}

bool is_folder(const std::string& path) {
  struct stat status {};
  return look_up(path, status) == 0 && S_ISDIR(status.st_mode);
}

FileState file_state(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw_errno("look up", path, errno);
  return {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

void make_directories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw_errno("make the folder", path, error.value());
  if (!is_folder(path)) throw_errno("make the folder", path, ENOTDIR);
}

std::vector<std::string> list_folder(const std::string& folder) {
  const auto close = [](DIR* stream) { ::closedir(stream); };
  const std::unique_ptr<DIR, decltype(close)> stream(::opendir(folder.c_str()), close);
  if (!stream) throw_errno("list the folder", folder, errno);
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) throw_errno("list the folder", folder, errno);
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_errno("remove", path, errno);
}

std::string read_text_file(const std::string& path, std::int64_t most_bytes) {
  if (is_folder(path)) throw_errno("read", path, EISDIR);
  require_regular_file(path);
  const Descriptor file(path, O_RDONLY, "open");
  const std::int64_t bytes = file.size();
  if (bytes > most_bytes)
    throw IoError(fmt::format("cannot read {} (its {} bytes are more than the {} expected of such a file)",
                              path, grouped(bytes), grouped(most_bytes)));
  std::string text(static_cast<std::size_t>(bytes), '\0');
  text.resize(static_cast<std::size_t>(file.read(text.data(), bytes, 0)));
  return text;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

void require_folder_of(const std::string& path) {
  if (path.empty() || is_folder(folder_of(path))) return;
  throw IoError(fmt::format("cannot write {} (there is no folder {}); make it first", path, folder_of(path)));
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

void flush_to_disk(const std::string& path) {
  Descriptor file(path, is_folder(path) ? O_RDONLY | O_DIRECTORY : O_RDWR, "open");
  file.flush();
  file.close();
}

void rename_durably(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw_errno("put in place", to, errno);
  flush_to_disk(folder_of(to));
}

void write_text_file(const std::string& path, std::string_view text,
                     const std::function<void()>& before_rename) {
  const std::string temporary = temporary_name(path);
  try {
    Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC, "create");
    file.write(text.data(), static_cast<std::int64_t>(text.size()), 0);
    file.flush();
    file.close();
    if (before_rename) before_rename();
    rename_durably(temporary, path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

std::string temporary_name(const std::string& target) {
  return fmt::format("{}/.{}.{}.{}.{}{}", folder_of(target), name_of(target), job_id(),
                     plain(comm::host_name()), ::getpid(), kTemporarySuffix);
}

int sweep_temporaries(const std::string& folder, const std::string& name, Sweep whose) {
  int removed = 0;
  for (const std::string& entry : list_folder(folder)) {
    const auto writer = writer_of(entry, name);
    if (!writer) continue;
    const bool ours = writer->host == plain(comm::host_name());
    if (ours && writer->pid == ::getpid()) continue;
    const bool gone = ours && is_gone(writer->pid);
    if (whose == Sweep::kDeadOnThisHost && !gone) continue;
    std::error_code error;
    std::filesystem::remove_all(folder + '/' + entry, error);
    if (error) throw_errno("remove", folder + '/' + entry, error.value());
    ++removed;
  }
  return removed;
}

}  // namespace convoy::io
