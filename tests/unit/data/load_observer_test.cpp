// Progress of reading a data set, and its end on request.

#include "convoy/data/load_observer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "convoy/core/error.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/hdf5/file.hpp"
#include "unit/data/dataset_fixture.hpp"

namespace convoy::data {
namespace {

using comm::Communicator;

/// Remembers the progress of each task; asks for a stop at the given call.
class Recorder final : public LoadObserver {
 public:
  explicit Recorder(int stop_at = -1) : stop_at_(stop_at) {}

  void on_progress(std::string_view what, std::int64_t done, std::int64_t total) override {
    Task& task = tasks[std::string(what)];
    EXPECT_GE(done, task.done) << what;
    EXPECT_LE(done, total) << what;
    task = {done, total};
  }
  void check_stop() const override {
    if (calls++ == stop_at_) throw Error(ExitStatus::kStoppedEarly, "stopped while the data set was read");
  }

  struct Task {
    std::int64_t done = 0;
    std::int64_t total = 0;
  };
  std::map<std::string, Task> tasks;
  mutable int calls = 0;

 private:
  int stop_at_;
};

class LoadingOf : public testing::Test {
 protected:
  /// Images of others, without checksum and statistics, of 3 units each.
  void write_file_of_others() const {
    constexpr std::int64_t kSamples = 3000;
    io::File file = io::File::create(options_.file, Communicator::self());
    file.create_dataset<std::uint8_t>("/x", {kSamples, 1, 32, 32}, {.chunk_rows = 100});
    file.write_rows<std::uint8_t>("/x", {0, kSamples}, std::vector<std::uint8_t>(kSamples * 1024, 7));
    file.write<std::int64_t>("/y", {kSamples}, std::vector<std::int64_t>(kSamples, 0));
    file.close();
  }

  test::ScratchFolder folder_;
  Options options_{.file = folder_ / "x.h5",
                   .train = {.images = "/x", .labels = "/y"},
                   .classes = 1,
                   .held_out = {.validation_part = 0.5}};
};

TEST_F(LoadingOf, ConvoysOwnFileIsFollowedToItsEnd) {
  test::write_small_dataset(options_.file);
  Recorder recorder;
  const Dataset data(Options{.file = options_.file}, Communicator::self(), {"train", "test"}, &recorder);
  ASSERT_EQ(recorder.tasks.size(), 3U);
  for (const char* what : {"checksums", "train images", "test images"}) {
    ASSERT_TRUE(recorder.tasks.contains(what)) << what;
    EXPECT_GT(recorder.tasks[what].total, 0) << what;
  }
  EXPECT_EQ(recorder.tasks["train images"].done, test::kSmallTrain * test::kSmallShape.size());
  EXPECT_EQ(recorder.tasks["train images"].total, test::kSmallTrain * test::kSmallShape.size());
}

TEST_F(LoadingOf, AFileOfOthersIsFollowedToItsEnd) {
  write_file_of_others();
  Recorder recorder;
  const Dataset data(options_, Communicator::self(), {"train", "validation"}, &recorder);
  for (const char* what :
       {"checksums", "train images", "validation images", "mean and deviation of the train images"}) {
    ASSERT_TRUE(recorder.tasks.contains(what)) << what;
    EXPECT_GT(recorder.tasks[what].total, 0) << what;
    EXPECT_EQ(recorder.tasks[what].done, recorder.tasks[what].total) << what;
  }
}

TEST_F(LoadingOf, AFileOfOthersEndsAtAnyCallThatAsksForIt) {
  write_file_of_others();
  Recorder all;
  const Dataset whole(options_, Communicator::self(), {"train", "validation"}, &all);
  constexpr int kCalls = 5;  // more while a slow machine's child process reads first
  ASSERT_GE(all.calls, kCalls);
  for (int call = 0; call < kCalls; ++call) {
    Recorder recorder(call);
    try {
      const Dataset data(options_, Communicator::self(), {"train", "validation"}, &recorder);
      ADD_FAILURE() << "call " << call << " did not end it";
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kStoppedEarly);
      EXPECT_NE(std::string(error.what()).find("while the data set was read"), std::string::npos)
          << error.what();
    }
    EXPECT_EQ(recorder.calls, call + 1) << "nothing is read after the request";
  }
}

}  // namespace
}  // namespace convoy::data
