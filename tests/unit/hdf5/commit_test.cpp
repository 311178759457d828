#include "convoy/hdf5/commit.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "convoy/core/error.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/io/file_system.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::io {
namespace {

using comm::Communicator;
using test::message_of;

// Writes a file of `elements` floats and commits it to `target`.
void write_file(const std::string& target, std::int64_t elements,
                const std::function<void()>& before_rename = {}) {
  PendingFile pending(target, Communicator::self());
  File file = File::create(pending.path(), Communicator::self());
  const std::vector<float> values(static_cast<std::size_t>(elements), 1.5F);
  file.write<float>("/values", {elements}, values);
  file.close();
  pending.commit(before_rename);
}

TEST(PendingFile, PutsASummedFileInPlaceAndNothingBeside) {
  const test::ScratchFolder folder;
  write_file(folder / "a.h5", 10);
  EXPECT_EQ(verify_checksum(folder / "a.h5").state, ChecksumState::kGood);
  EXPECT_EQ(File::open(folder / "a.h5").read<float>("/values", {10}), std::vector<float>(10, 1.5F));
  EXPECT_EQ(folder.entries(), 1);
}

TEST(PendingFile, IsBesideItsPlaceUntilCommitted) {
  const test::ScratchFolder folder;
  {
    const PendingFile pending(folder / "a.h5", Communicator::self());
    EXPECT_EQ(folder_of(pending.path()), folder.path());
    EXPECT_TRUE(exists(pending.path()));
    EXPECT_FALSE(exists(folder / "a.h5"));
  }
  EXPECT_EQ(folder.entries(), 0);
}

TEST(PendingFile, KeepsTheOldFileWhenStoppedBeforeTheRename) {
  const test::ScratchFolder folder;
  write_file(folder / "a.h5", 10);
  const std::string old = test::read_bytes(folder / "a.h5");
  const auto refuse = [] { throw Error(ExitStatus::kUsage, "superseded"); };
  EXPECT_THROW(write_file(folder / "a.h5", 20, refuse), Error);
  EXPECT_EQ(test::read_bytes(folder / "a.h5"), old);
  EXPECT_EQ(folder.entries(), 1);
}

TEST(PendingFile, RefusesAFolderAsTarget) {
  const test::ScratchFolder folder;
  make_directories(folder / "a.h5");
  EXPECT_HOLDS(message_of<IoError>([&] { write_file(folder / "a.h5", 1); }), "Is a directory");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(PendingFile, NamesAMissingFolder) {
  const test::ScratchFolder folder;
  EXPECT_HOLDS(message_of<IoError>([&] { write_file(folder / "none/a.h5", 1); }),
               "No such file or directory");
}

TEST(PendingFile, NamesAFolderWithoutPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const test::ScratchFolder folder;
  ::chmod(folder.path().c_str(), 0555);
  EXPECT_HOLDS(message_of<IoError>([&] { write_file(folder / "a.h5", 1); }), "Permission denied");
  ::chmod(folder.path().c_str(), 0755);
}

TEST(PendingFile, GivesTheSameBytesForTheSameContent) {
  const test::ScratchFolder folder;
  write_file(folder / "a.h5", 1000);
  write_file(folder / "b.h5", 1000);
  EXPECT_EQ(test::read_bytes(folder / "a.h5"), test::read_bytes(folder / "b.h5"));
}

// A file size limit simulates a full disk. Tests the process up to its end: libhdf5 must not hang or crash at
// exit because of the data it could not write.
TEST(PendingFile, LeavesTheOldFileAndNothingBesideWhenTheDiskIsFull) {
  const test::ScratchFolder folder;
  write_file(folder / "a.h5", 10);
  const std::string old = test::read_bytes(folder / "a.h5");
  const auto write_under_limit = [&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{20000, 20000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int status = 0;
    try {
      write_file(folder / "a.h5", 100000);
    } catch (const IoError& error) {
      status = std::string(error.what()).find("File too large") != std::string::npos ? 4 : 99;
    }
    std::exit(status);
  };
  EXPECT_EXIT(write_under_limit(), testing::ExitedWithCode(4), "");
  EXPECT_EQ(test::read_bytes(folder / "a.h5"), old);
  EXPECT_EQ(folder.entries(), 1);
}

TEST(PendingFile, KnowsBeforeWritingThatThereIsNoRoom) {
  const test::ScratchFolder folder;
  constexpr std::int64_t kMoreThanAnyDisk = std::int64_t{1} << 55;
  const std::string message = message_of<IoError>(
      [&] { const PendingFile pending(folder / "a.h5", Communicator::self(), kMoreThanAnyDisk); });
  EXPECT_HOLDS(message, folder / ".a.h5.");
  EXPECT_HOLDS(message, "36,028,797,018,963,968 bytes");
  EXPECT_EQ(folder.entries(), 0);
}

TEST(PendingFile, AgreesWithTheCommandLineSumTool) {
  if (std::system("command -v xxh128sum >/dev/null 2>&1") != 0) GTEST_SKIP() << "no xxh128sum here";
  const test::ScratchFolder folder;
  write_file(folder / "a.h5", 1000);
  const std::string command = "test \"$(tail -c +513 '" + (folder / "a.h5") +
                              "' | xxh128sum | cut -d' ' -f1)\" = \"$(head -c 52 '" + (folder / "a.h5") +
                              "' | cut -d' ' -f4)\"";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace convoy::io
