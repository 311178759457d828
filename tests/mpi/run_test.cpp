// Parts of a run that ranks do together: requests, and checkpoints with their failures.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/io/file_system.hpp"
#include "support/manual_clock.hpp"
#include "train/checkpoint_writer.hpp"
#include "train/requests.hpp"
#include "world.hpp"

namespace convoy::train {
namespace {

using test::SharedFolder;
using test::world;

TEST(Requests, RanksAgreeOnTheStrongest) {
  test::ManualClock clock;
  Deadline deadline(clock.now(), 100, 0, clock);
  const int last = world().size() - 1;
  for (const Request strongest : {Request::kNothing, Request::kCheckpoint, Request::kLeave}) {
    std::atomic<int> asked{static_cast<int>(world().rank() == last ? strongest : Request::kNothing)};
    Requests requests(&asked, deadline);
    EXPECT_EQ(requests.agree(world()), strongest);
  }
}

TEST(Requests, OneRanksDeadlineIsEveryRanks) {
  test::ManualClock clock;
  Deadline deadline(clock.now(), 100, 0, clock);
  if (world().rank() == world().size() - 1) clock.advance(99.9);
  Requests requests(nullptr, deadline);
  EXPECT_EQ(requests.agree(world()), Request::kLeave);
}

struct Log : Observer {
  void on_checkpoint(const CheckpointReport& report) override { written.push_back(io::name_of(report.path)); }
  void on_warning(const std::string& text) override { warnings.push_back(text); }
  std::vector<std::string> written;
  std::vector<std::string> warnings;
};

/// Writes checkpoints of a small network to a run directory of all ranks.
class CheckpointWriterTest : public testing::Test {
 protected:
  CheckpointWriterTest() {
    network_.initialise(3, state_.parameters, state_.statistics);
    if (world().is_root()) directory_.claim();
    world().barrier();
    options_.keep = 2;
    options_.checkpoint_async = false;
    options_.checkpoint_retries = 1;
  }

  CheckpointWriter make_writer() {
    return {options_, world(), network_, state_, directory_, io_thread_, log_};
  }

  void save(CheckpointWriter& writer, std::int64_t step,
            CheckpointWriter::Wait wait = CheckpointWriter::Wait::kNo) {
    writer.save({.isa = "portable",
                 .seed = 3,
                 .config = "",
                 .progress = {.step = step},
                 .input = {.shape = {2, 6, 6}, .scale = 1, .mean = {0, 0}, .std = {1, 1}},
                 .class_names = {},
                 .data_digest = "00"},
                state_, {}, wait);
  }

  [[nodiscard]] std::string path_of(std::int64_t step) const {
    return directory_.checkpoints() + '/' + model::checkpoint_name(step);
  }

  /// A folder in the place of a checkpoint's file: it cannot be written.
  void block(std::int64_t step) {
    if (world().is_root()) std::filesystem::create_directories(path_of(step) + "/in_the_way");
    world().barrier();
  }

  SharedFolder folder_;
  nn::Network network_{{2, 6, 6},
                       {{"conv 5 3x3", "test"}, {"batchnorm", "test"}, {"relu", "test"}, {"dense 3", "test"}},
                       nn::LossKind::kSoftmaxCrossEntropy,
                       3};
  model::State state_ = model::make_state(network_);
  RunDirectory directory_{folder_ / "run"};
  config::Options options_;
  io::IoThread io_thread_;
  Log log_;
};

TEST_F(CheckpointWriterTest, KeepsTheNewestAndTellsTheRootOfEach) {
  for (const model::Writers writers : {model::Writers::kOne, model::Writers::kAll}) {
    options_.checkpoint_writers = writers;
    CheckpointWriter writer = make_writer();
    for (const std::int64_t step : {1, 2, 3}) save(writer, step, CheckpointWriter::Wait::kYes);
    world().barrier();  // the root deletes old ones after the ranks have written
    EXPECT_EQ(model::list_checkpoints(directory_.checkpoints()),
              (std::vector{model::checkpoint_name(3), model::checkpoint_name(2)}));
    EXPECT_NO_THROW(model::require_sound_checkpoint(path_of(3)));
    world().barrier();
  }
  EXPECT_EQ(log_.written.size(), world().is_root() ? 6U : 0U);
  EXPECT_TRUE(log_.warnings.empty()) << log_.warnings.front();
}

TEST_F(CheckpointWriterTest, AFailureIsAWarningWhileAnEarlierOneStands) {
  CheckpointWriter writer = make_writer();
  save(writer, 1);
  block(2);
  save(writer, 2);
  if (world().is_root()) {
    ASSERT_EQ(log_.warnings.size(), 1U);
    EXPECT_NE(log_.warnings.front().find(path_of(2)), std::string::npos) << log_.warnings.front();
    EXPECT_NE(log_.warnings.front().find(path_of(1) + " stands"), std::string::npos) << log_.warnings.front();
  }
  save(writer, 3);
  block(4);
  save(writer, 4);  // failures are counted anew after a success
  EXPECT_EQ(log_.written.size(), world().is_root() ? 2U : 0U);
}

TEST_F(CheckpointWriterTest, MoreFailuresThanAllowedEndTheRunOnEveryRank) {
  CheckpointWriter writer = make_writer();
  save(writer, 1);
  block(2);
  block(3);
  save(writer, 2);
  EXPECT_THROW(save(writer, 3), IoError);
  EXPECT_NO_THROW(model::require_sound_checkpoint(path_of(1)));
  world().barrier();
}

TEST_F(CheckpointWriterTest, AFailureWithNothingToGoBackToEndsTheRunOnEveryRank) {
  CheckpointWriter writer = make_writer();
  block(1);
  EXPECT_THROW(save(writer, 1), IoError);
}

TEST_F(CheckpointWriterTest, ARunThatLostItsFolderToAnotherWritesNothing) {
  CheckpointWriter writer = make_writer();
  save(writer, 1);
  RunDirectory other(folder_ / "run", true);
  if (world().is_root()) other.claim();
  world().barrier();
  EXPECT_THROW(save(writer, 2), Error);
  EXPECT_FALSE(io::exists(path_of(2)));
  world().barrier();
}

}  // namespace
}  // namespace convoy::train
