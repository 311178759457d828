#include "convoy/machine/probe.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

#include "convoy/core/error.hpp"
#include "convoy/io/file_system.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::machine {
namespace {

using test::write_bytes;

TEST(FileSystemOf, TellsKindAndRoom) {
  const test::ScratchFolder folder;
  const FileSystem system = file_system_of(folder.path());
  EXPECT_FALSE(system.type.empty());
  EXPECT_GT(system.bytes, 0);
  EXPECT_LE(system.free_bytes, system.bytes);
  EXPECT_FALSE(system.is_read_only);
  EXPECT_THROW((void)file_system_of(folder / "nowhere"), IoError);
  EXPECT_TRUE(file_system_of("/dev/shm").is_of_one_host);
}

TEST(NearestFolder, IsThePathOrAboveIt) {
  const test::ScratchFolder folder;
  EXPECT_EQ(nearest_folder(folder.path()), folder.path());
  EXPECT_EQ(nearest_folder(folder / "a/b/c"), folder.path());
  EXPECT_EQ(nearest_folder("nowhere-at-all/run"), ".");
}

TEST(TryLocks, WorkOnALocalDiskAndNeedAFile) {
  const test::ScratchFolder folder;
  write_bytes(folder / "file", "");
  EXPECT_TRUE(try_locks(folder / "file").work());
  EXPECT_THROW((void)try_locks(folder / "nowhere"), IoError);
}

TEST(TimedWrite, LeavesAFileOfThatSizeWrittenJustNow) {
  const test::ScratchFolder folder;
  EXPECT_GE(timed_write(folder / "file", 100'000), 0);
  EXPECT_EQ(io::file_size(folder / "file"), 100'000);
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  constexpr double kAnHour = 3600;
  EXPECT_NEAR(written_at(folder / "file"), now, kAnHour);
  EXPECT_THROW((void)timed_write(folder / "file", 1), IoError) << "it is there";
}

TEST(TryRoomIn, RefusesWhatCannotBeHadAndLeavesNothing) {
  const test::ScratchFolder folder;
  EXPECT_NO_THROW(try_room_in(folder.path(), 1000));
  EXPECT_THROW(try_room_in(folder.path(), std::int64_t{1} << 60), IoError);
  EXPECT_EQ(folder.entries(), 0);
}

TEST(ScratchFolder, GoesWithAllItHolds) {
  const test::ScratchFolder folder;
  {
    const ScratchFolder own(folder.path());
    write_bytes(own.path() + "/file", "x");
    EXPECT_EQ(folder.entries(), 1);
  }
  EXPECT_EQ(folder.entries(), 0);
  EXPECT_THROW(const ScratchFolder own(folder / "nowhere"), IoError);
}

TEST(ScratchFolder, RemovesWhatAKilledProcessLeft) {
  const test::ScratchFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    static const ScratchFolder own(folder.path());
    write_bytes(own.path() + "/file", "x");
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(folder.entries(), 1);
  { const ScratchFolder own(folder.path()); }
  EXPECT_EQ(folder.entries(), 0);
}

TEST(AskQuota, KnowsNothingOfMemory) {
  const QuotaAnswer answer = ask_quota("/dev/shm");
  EXPECT_FALSE(answer.is_known);
  EXPECT_FALSE(answer.tightest);
}

}  // namespace
}  // namespace convoy::machine
