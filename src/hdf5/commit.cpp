#include "convoy/hdf5/commit.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "convoy/core/error.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/descriptor.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::io {

PendingFile::PendingFile(std::string target, const comm::Communicator& world, std::int64_t expected_bytes)
    : world_(world), target_(std::move(target)), temporary_(world.broadcast(temporary_name(target_))) {
  agreed_at_root(world_, [&] {
    if (is_folder(target_)) throw_errno("write", target_, EISDIR);
    Descriptor file(temporary_, O_WRONLY | O_CREAT | O_TRUNC, "create");
    try {
      file.try_room(expected_bytes);
      file.close();
    } catch (...) {
      discard();
      throw;
    }
  });
  pending_ = true;
}

PendingFile::~PendingFile() {
  if (pending_) discard();
}

void PendingFile::discard() noexcept {
  if (world_.is_root()) ::unlink(temporary_.c_str());
}

void PendingFile::commit(const std::function<void()>& before_rename) {
  // All ranks must have closed the file before rank 0 computes the checksum.
  world_.barrier();
  agreed_at_root(world_, [&] {
    write_checksum(temporary_);
    flush_to_disk(temporary_);
    const ChecksumResult check = verify_checksum(temporary_, Source::kDisk);
    if (check.state != ChecksumState::kGood)
      throw IoError(
          fmt::format("cannot write {} (what was read back differs from what was written: {}); the disk or "
                      "the file system is failing",
                      target_, check.detail));
    if (before_rename) before_rename();
    rename_durably(temporary_, target_);
  });
  pending_ = false;
}

}  // namespace convoy::io
