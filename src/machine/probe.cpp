#include "convoy/machine/probe.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <map>
#include <string_view>
#include <system_error>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/descriptor.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::machine {
namespace {

struct Kind {
  std::string_view name;
  bool is_of_one_host = false;
};

const std::map<std::uint32_t, Kind>& kinds() {
  // Names from the kernel's header, and numbers of file systems that are not in the kernel.
  static const std::map<std::uint32_t, Kind> table = {
      {EXT4_SUPER_MAGIC, {"ext4"}},
      {XFS_SUPER_MAGIC, {"xfs"}},
      {BTRFS_SUPER_MAGIC, {"btrfs"}},
      {NFS_SUPER_MAGIC, {"nfs"}},
      {SMB2_SUPER_MAGIC, {"smb"}},
      {CIFS_SUPER_MAGIC, {"cifs"}},
      {CEPH_SUPER_MAGIC, {"ceph"}},
      {AFS_SUPER_MAGIC, {"afs"}},
      {FUSE_SUPER_MAGIC, {"fuse"}},
      {V9FS_MAGIC, {"9p"}},
      {0x0BD00BD0, {"lustre"}},
      {0x47504653, {"gpfs"}},
      {0x19830326, {"beegfs"}},
      {0x2FC12FC1, {"zfs"}},
      {OVERLAYFS_SUPER_MAGIC, {"overlay", true}},
      {TMPFS_MAGIC, {"tmpfs", true}},
      {RAMFS_MAGIC, {"ramfs", true}},
  };
  return table;
}

std::string why(const char* call, int code) {
  return std::string(call) + ": " + std::generic_category().message(code);
}

std::int64_t bytes_of(std::uint64_t blocks, std::uint64_t block) {
  constexpr auto kMost = static_cast<std::uint64_t>(INT64_MAX);
  return static_cast<std::int64_t>(blocks > kMost / (block == 0 ? 1 : block) ? kMost : blocks * block);
}

}  // namespace

FileSystem file_system_of(const std::string& path) {
  struct statfs kind {};
  struct statvfs room {};
  if (::statfs(path.c_str(), &kind) != 0 || ::statvfs(path.c_str(), &room) != 0)
    io::throw_errno("ask the file system of", path, errno);
  const auto magic = static_cast<std::uint32_t>(kind.f_type);
  const auto found = kinds().find(magic);
  FileSystem system;
  system.type = found != kinds().end() ? std::string(found->second.name) : fmt::format("{:#x}", magic);
  system.is_of_one_host = found != kinds().end() && found->second.is_of_one_host;
  system.bytes = bytes_of(room.f_blocks, room.f_frsize);
  system.free_bytes = bytes_of(room.f_bavail, room.f_frsize);
  system.free_files = room.f_files == 0 ? -1 : static_cast<std::int64_t>(room.f_favail);
  system.is_read_only = (room.f_flag & ST_RDONLY) != 0;
  return system;
}

std::string nearest_folder(const std::string& path) {
  std::string folder = path;
  while (!io::exists(folder)) folder = io::folder_of(folder);
  return folder;
}

void require_may_write(const std::string& path) {
  const std::string folder = nearest_folder(path);
  if (!io::is_folder(folder)) io::throw_errno("make a folder in", folder, ENOTDIR);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) io::throw_errno("write in", folder, errno);
}

Locks try_locks(const std::string& path) {
  const io::Descriptor file(path, O_RDWR, "open");
  Locks locks;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
    ::flock(file.get(), LOCK_UN);
  } else if (errno != EWOULDBLOCK) {
    locks.flock = why("flock", errno);
  }
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  if (::fcntl(file.get(), F_SETLK, &range) == 0) {
    range.l_type = F_UNLCK;
    ::fcntl(file.get(), F_SETLK, &range);
  } else if (errno != EACCES && errno != EAGAIN) {
    locks.fcntl = why("fcntl", errno);
  }
  return locks;
}

double timed_write(const std::string& path, std::int64_t bytes) {
  const auto start = std::chrono::steady_clock::now();
  constexpr std::int64_t kBlock = 65536;
  std::array<char, kBlock> block{};
  block.fill(0x5a);
  io::Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL, "create");
  for (std::int64_t offset = 0; offset < bytes; offset += kBlock)
    file.write(block.data(), std::min(kBlock, bytes - offset), offset);
  file.flush();
  file.close();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void try_room_in(const std::string& folder, std::int64_t bytes) {
  const std::string path = io::temporary_name(folder + "/room");
  try {
    io::Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC, "create");
    file.try_room(bytes);
    file.close();
  } catch (...) {
    ::unlink(path.c_str());
    throw;
  }
  io::remove_file(path);
}

double written_at(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) io::throw_errno("look up", path, errno);
  return static_cast<double>(status.st_mtim.tv_sec) + 1e-9 * static_cast<double>(status.st_mtim.tv_nsec);
}

ScratchFolder::ScratchFolder(const std::string& folder) : path_(io::temporary_name(folder + "/doctor")) {
  try {
    io::sweep_temporaries(folder, "doctor", io::Sweep::kDeadOnThisHost);
  } catch (const IoError&) {
    // Another user owns the leftovers, or another process is removing them.
  }
  if (::mkdir(path_.c_str(), 0777) != 0) io::throw_errno("make the folder", path_, errno);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace convoy::machine
