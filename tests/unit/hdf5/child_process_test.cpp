#include "convoy/hdf5/child_process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <new>

#include "convoy/core/error.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::io {
namespace {

using test::message_of;

class Trial : public testing::Test {
 protected:
  Trial() { test::write_bytes(path_, "bytes"); }
  std::string complaint(const std::function<void()>& reading, const ChildLimits& limits = {}) {
    return message_of<DataError>([&] { run_in_child(path_, reading, limits); });
  }

  test::ScratchFolder folder_;
  std::string path_ = folder_ / "file.h5";
};

TEST_F(Trial, OfAReadingThatEndsLeavesNoTrace) {
  int calls = 0;
  run_in_child(path_, [&] { ++calls; });
  EXPECT_EQ(calls, 0);
  testing::internal::CaptureStdout();
  std::printf("said once");
  run_in_child(path_, [] { std::printf("never seen"); });
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "said once");
}

TEST_F(Trial, LeavesErrorsToTheReadingThatFollows) {
  EXPECT_NO_THROW(run_in_child(path_, [] { throw DataError("damaged"); }));
  EXPECT_NO_THROW(run_in_child(path_, [] { throw std::runtime_error("odd"); }));
}

TEST_F(Trial, NamesTheSignalThatEndedIt) {
  const std::string message = complaint([] { ::raise(SIGSEGV); });
  EXPECT_HOLDS(message, path_);
  EXPECT_HOLDS(message, "died of signal 11, Segmentation fault");
  EXPECT_HOLDS(message, "h5repack");
  EXPECT_HOLDS(complaint([] { std::abort(); }), "died of signal 6");
  EXPECT_HOLDS(complaint([] { ::_exit(7); }), "ended with status 7");
}

TEST_F(Trial, OfAReadingWithoutEndIsEnded) {
  const ChildLimits limits{.seconds = 1};
  const auto compute_for_ever = [] {
    const volatile bool goes_on = true;
    while (goes_on) {
    }
  };
  EXPECT_HOLDS(complaint(compute_for_ever, limits), "was not done after 1 second)");
  EXPECT_HOLDS(complaint([] { ::pause(); }, limits), "was not done after 4 seconds)");
}

TEST_F(Trial, BoundsMemory) {
  const auto take = [](std::size_t bytes) {
    if (::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
      throw std::bad_alloc();
  };
  const ChildLimits limits{.bytes = std::int64_t{1} << 30};
  EXPECT_NO_THROW(run_in_child(
      path_, [&] { take(std::size_t{1} << 29); }, limits));
  EXPECT_HOLDS(complaint([&] { take(std::size_t{1} << 31); }, limits), "wanted over 1");
}

TEST_F(Trial, IsNotEndedByWhatIsMeantForItsParent) {
  for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP})
    EXPECT_NO_THROW(run_in_child(path_, [=] { ::raise(number); }));
}

TEST_F(Trial, WorksWhereChildrenAreIgnored) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  struct sigaction before {};
  ::sigaction(SIGCHLD, &ignore, &before);
  EXPECT_HOLDS(complaint([] { ::raise(SIGBUS); }), "died of signal 7");
  struct sigaction after {};
  ::sigaction(SIGCHLD, &before, &after);
  EXPECT_EQ(after.sa_handler, SIG_IGN);
}

TEST_F(Trial, OfAMissingFileIsAnError) {
  EXPECT_THROW(run_in_child(folder_ / "none", [] {}), IoError);
}

}  // namespace
}  // namespace convoy::io
