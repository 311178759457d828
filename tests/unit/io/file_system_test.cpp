#include "convoy/io/file_system.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::io {
namespace {

using test::message_of;
using test::read_bytes;
using test::write_bytes;

TEST(Paths, SplitIntoFolderAndName) {
  EXPECT_EQ(folder_of("a/b/c.h5"), "a/b");
  EXPECT_EQ(folder_of("c.h5"), ".");
  EXPECT_EQ(folder_of("/c.h5"), "/");
  EXPECT_EQ(name_of("a/b/c.h5"), "c.h5");
  EXPECT_EQ(name_of("c.h5"), "c.h5");
}

TEST(MakeDirectories, MakesParentsAndTakesWhatIsThere) {
  const test::ScratchFolder folder;
  make_directories(folder / "a/b/c");
  make_directories(folder / "a/b/c");
  EXPECT_TRUE(is_folder(folder / "a/b/c"));
}

TEST(MakeDirectories, NamesAFileInTheWay) {
  const test::ScratchFolder folder;
  write_bytes(folder / "a", "x");
  EXPECT_HOLDS(message_of<IoError>([&] { make_directories(folder / "a/b"); }), "Not a directory");
  EXPECT_HOLDS(message_of<IoError>([&] { make_directories(folder / "a"); }), "Not a directory");
}

TEST(ListFolder, IsSortedAndNamesAMissingFolder) {
  const test::ScratchFolder folder;
  for (const char* name : {"b", "a", ".c"}) write_bytes(folder / name, "");
  EXPECT_EQ(list_folder(folder.path()), (std::vector<std::string>{".c", "a", "b"}));
  EXPECT_HOLDS(message_of<IoError>([&] { (void)list_folder(folder / "none"); }), "No such file or directory");
}

TEST(ReadTextFile, RefusesFoldersMissingAndOverlongFiles) {
  const test::ScratchFolder folder;
  write_bytes(folder / "a", "12345");
  EXPECT_EQ(read_text_file(folder / "a"), "12345");
  EXPECT_HOLDS(message_of<IoError>([&] { (void)read_text_file(folder / "a", 4); }),
               "5 bytes are more than the 4");
  EXPECT_HOLDS(message_of<IoError>([&] { (void)read_text_file(folder.path()); }), "Is a directory");
  EXPECT_HOLDS(message_of<IoError>([&] { (void)read_text_file(folder / "b"); }), "No such file");
}

TEST(WriteTextFile, ReplacesTheWholeFileAndLeavesNothingBeside) {
  const test::ScratchFolder folder;
  write_text_file(folder / "a", "first, and longer");
  write_text_file(folder / "a", "second");
  EXPECT_EQ(read_bytes(folder / "a"), "second");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(WriteTextFile, KeepsTheOldFileWhenStoppedBeforeTheRename) {
  const test::ScratchFolder folder;
  write_text_file(folder / "a", "old");
  const auto refuse = [] { throw IoError("superseded"); };
  EXPECT_HOLDS(message_of<IoError>([&] { write_text_file(folder / "a", "new", refuse); }), "superseded");
  EXPECT_EQ(read_bytes(folder / "a"), "old");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(WriteTextFile, NamesAMissingFolder) {
  const test::ScratchFolder folder;
  const std::string message = message_of<IoError>([&] { write_text_file(folder / "none/a", "x"); });
  EXPECT_HOLDS(message, folder / "none/.a.");
  EXPECT_HOLDS(message, "No such file or directory");
}

// A file size limit simulates a full disk: the kernel refuses the same write.
TEST(WriteTextFile, KeepsTheOldFileWhenTheDiskIsFull) {
  const test::ScratchFolder folder;
  write_text_file(folder / "a", "old");
  const auto write_under_limit = [&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_text_file(folder / "a", std::string(5000, 'x'));
    } catch (const IoError& error) {
      ::_exit(std::string(error.what()).find("File too large") != std::string::npos ? 4 : 99);
    }
    ::_exit(0);
  };
  EXPECT_EXIT(write_under_limit(), testing::ExitedWithCode(4), "");
  EXPECT_EQ(read_bytes(folder / "a"), "old");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(TemporaryName, HoldsTargetJobHostAndProcess) {
  ::setenv("SLURM_JOB_ID", "4711", 1);
  const std::string name = temporary_name("runs/x/step-00000010.h5");
  ::unsetenv("SLURM_JOB_ID");
  EXPECT_TRUE(name.starts_with("runs/x/.step-00000010.h5.4711.")) << name;
  EXPECT_TRUE(name.ends_with(std::to_string(::getpid()) + ".tmp")) << name;
}

class Sweeping : public testing::Test {
 protected:
  Sweeping() {
    // A process that has certainly ended: a child after waitpid.
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    const std::string mine = name_of(temporary_name("a.h5"));
    const std::string stem = mine.substr(0, mine.rfind('.', mine.size() - 5) + 1);
    dead_ = stem + std::to_string(child) + ".tmp";
    for (const std::string& name : {mine, dead_, std::string(".a.h5.nojob.elsewhere.17.tmp"),
                                    std::string(".b.h5.nojob.elsewhere.17.tmp"), std::string("a.h5"),
                                    std::string(".a.h5.elsewhere.tmp"), std::string(".hidden")})
      write_bytes(folder_ / name, "x");
  }

  test::ScratchFolder folder_;
  std::string dead_;
};

TEST(Exists, IsFalseForANameThatNoFileCanHave) {
  const test::ScratchFolder folder;
  EXPECT_FALSE(exists(folder / std::string(300, 'x')));
}

TEST_F(Sweeping, TakesTheDeadOfThisHostAlone) {
  EXPECT_EQ(sweep_temporaries(folder_.path(), "a.h5", Sweep::kDeadOnThisHost), 1);
  EXPECT_FALSE(exists(folder_ / dead_));
  EXPECT_EQ(folder_.entries(), 6);
}

TEST_F(Sweeping, ADeadProcessNobodyWaitedForIsDead) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t ended{};
  ::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
  const std::string left =
      dead_.substr(0, dead_.rfind('.', dead_.size() - 5) + 1) + std::to_string(child) + ".tmp";
  write_bytes(folder_ / left, "x");
  EXPECT_EQ(sweep_temporaries(folder_.path(), "a.h5", Sweep::kDeadOnThisHost), 2);
  EXPECT_FALSE(exists(folder_ / left));
  ::waitpid(child, nullptr, 0);
}

TEST_F(Sweeping, TakesAllOfOneTargetOrOfTheFolderButNeverItsOwn) {
  EXPECT_EQ(sweep_temporaries(folder_.path(), "a.h5", Sweep::kAll), 2);
  EXPECT_EQ(sweep_temporaries(folder_.path(), "", Sweep::kAll), 1);
  EXPECT_TRUE(exists(temporary_name(folder_ / "a.h5")));
  EXPECT_TRUE(exists(folder_ / ".a.h5.elsewhere.tmp")) << "not a name of ours";
}

}  // namespace
}  // namespace convoy::io
