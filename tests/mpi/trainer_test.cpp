// Whole runs on several ranks, from Options filled by hand: their bits, resume, and replay.

#include "convoy/train/trainer.hpp"

#include <gtest/gtest.h>

#include <string>

#include "convoy/config/config.hpp"
#include "convoy/core/error.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/verify/replay.hpp"
#include "unit/data/dataset_fixture.hpp"
#include "world.hpp"

namespace convoy::train {
namespace {

using comm::Communicator;
using test::SharedFolder;
using test::world;

class TrainerTest : public testing::Test {
 protected:
  TrainerTest() {
    if (world().is_root()) test::write_small_dataset(data_);
    world().barrier();
  }

  /// Two epochs of four steps, the last of seven samples.
  [[nodiscard]] config::Options options(const std::string& dir) const {
    config::Options options;
    options.data.file = data_;
    options.layers = {{"conv 4 2x2", "test"},
                      {"batchnorm", "test"},
                      {"relu", "test"},
                      {"dropout 0.2", "test"},
                      {"dense 3", "test"}};
    options.optimizer.momentum = 0.9;
    options.schedule.lr = 0.05;
    options.batch = 10;
    options.micro_batch = 2;
    options.epochs = 2;
    options.threads = 1;
    options.dir = folder_ / dir;
    options.checkpoint_every_steps = 2;
    options.keep = 100;
    return options;
  }

  static Launch launch() {
    Launch launch;
    launch.isa = kernels::supported_isas().front();
    return launch;
  }

  /// The last checkpoint's path.
  std::string train_to_the_end(const config::Options& options, const Communicator& ranks,
                               const Launch& launch) {
    EXPECT_EQ(train(options, ranks, launch), ExitStatus::kDone);
    ranks.barrier();
    return checkpoint(options, 8);
  }

  static std::string checkpoint(const config::Options& options, std::int64_t step) {
    return options.dir + "/checkpoints/" + model::checkpoint_name(step);
  }

  /// Collective. The result of a run on the root alone.
  std::string hash_of_one_rank() {
    std::string hash;
    if (world().is_root()) {
      const std::string last = train_to_the_end(options("alone"), Communicator::self(), launch());
      hash = to_hex(model::hash_of_checkpoint(last));
    }
    return world().broadcast(hash);
  }

  SharedFolder folder_;
  std::string data_ = folder_ / "data.h5";
};

TEST_F(TrainerTest, OptionsFilledByHandGiveTheBitsOfOneRank) {
  const std::string last = train_to_the_end(options("together"), world(), launch());
  EXPECT_EQ(to_hex(model::hash_of_checkpoint(last)), hash_of_one_rank());
  world().barrier();
}

// The neighbour's micro-batch, which a rank computes again, is read too.
TEST_F(TrainerTest, ImagesReadWhileTrainingGiveTheSameBitsAndPassTheChecks) {
  config::Options streamed = options("streamed");
  streamed.data.cache = data::Cache::kNone;
  streamed.comm.verify_every = 1;
  const std::string last = train_to_the_end(streamed, world(), launch());
  EXPECT_EQ(to_hex(model::hash_of_checkpoint(last)), hash_of_one_rank());
  world().barrier();
}

TEST_F(TrainerTest, ARunThatLeavesAndGoesOnHasTheSameBits) {
  std::atomic<int> request{static_cast<int>(Request::kNothing)};
  Launch first = launch();
  if (world().rank() == world().size() - 1) {
    first.request = &request;
    first.hooks.corrupt = [&](std::string_view what, int, int, std::int64_t, std::span<std::byte>) {
      if (what == "data") request = static_cast<int>(Request::kLeave);  // once the data set has been read
    };
  }
  EXPECT_EQ(train(options("parts"), world(), first), ExitStatus::kStoppedEarly);
  EXPECT_TRUE(world().size() > 1 || request.load() == static_cast<int>(Request::kLeave));
  Launch second = launch();
  second.resume = Resume::kAuto;
  const std::string last = train_to_the_end(options("parts"), world(), second);
  EXPECT_EQ(to_hex(model::hash_of_checkpoint(last)), hash_of_one_rank());
  world().barrier();
}

TEST_F(TrainerTest, ARequestToLeaveWhileTheDataSetIsReadEndsAllRanksBeforeAnythingIsWritten) {
  std::atomic<int> request{static_cast<int>(Request::kLeave)};
  Launch leaving = launch();
  if (world().rank() == world().size() - 1) leaving.request = &request;
  const config::Options mine = options("run");
  try {
    (void)train(mine, world(), leaving);
    ADD_FAILURE() << "the run went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kStoppedEarly);
  }
  world().barrier();
  EXPECT_FALSE(io::exists(mine.dir));
  world().barrier();
}

TEST_F(TrainerTest, AResumeWithOtherOptionsNamesTheKey) {
  (void)train_to_the_end(options("run"), world(), launch());
  config::Options other = options("run");
  other.schedule.lr = 0.25;
  Launch again = launch();
  again.resume = Resume::kAuto;
  try {
    (void)train(other, world(), again);
    ADD_FAILURE() << "not noticed";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("schedule.lr"), std::string::npos) << error.what();
  }
  world().barrier();
}

TEST_F(TrainerTest, RanksWithOtherOptionsAreNoticedBeforeAnythingIsWritten) {
  if (world().size() == 1) GTEST_SKIP() << "needs several ranks";
  config::Options mine = options("run");
  if (world().rank() == world().size() - 1) mine.seed = 99;
  EXPECT_THROW((void)train(mine, world(), launch()), Error);
  world().barrier();
  EXPECT_FALSE(io::exists(mine.dir));
  world().barrier();
}

class ReplayTest : public TrainerTest {
 protected:
  ReplayTest() : options_(options("run")) { (void)train_to_the_end(options_, world(), launch()); }

  [[nodiscard]] verify::ReplayResult replay_between(std::int64_t from, const std::string& to) const {
    verify::ReplayRequest request;
    request.from = checkpoint(options_, from);
    request.to = to;
    request.isa = kernels::supported_isas().front();
    return verify::replay(options_, world(), request);
  }

  /// Writes checkpoint 6 again with one parameter and one value of the optimizer's state changed.
  std::string write_changed() {
    const std::string path = folder_ / "changed.h5";
    if (world().is_root()) {
      const std::string original = checkpoint(options_, 6);
      const nn::Network network(test::kSmallShape, options_.layers, options_.loss, 3);
      const auto optimizer = optim::make_optimizer(options_.optimizer);
      model::State state = model::make_state(network, optimizer.get());
      model::read_checkpoint_state(original, network, state);
      state.parameters.back() += 1;
      *state.optimizer.front().values.at(2) += 1;
      const model::WriterGroup alone(Communicator::self(), model::Writers::kOne, network, state);
      model::write_checkpoint(path, alone, network, model::read_checkpoint_header(original),
                              model::take_snapshot(alone, network, state), {}, 0, {});
    }
    world().barrier();
    return path;
  }

  config::Options options_;
};

TEST_F(ReplayTest, FindsNoDifferenceInTheRunsOwnCheckpoints) {
  for (const std::int64_t step : {4, 6, 8}) {
    const verify::ReplayResult result = replay_between(2, checkpoint(options_, step));
    EXPECT_EQ(result.steps, step - 2);
    EXPECT_TRUE(result.differences.empty()) << result.differences.front().path;
  }
  world().barrier();
}

TEST_F(ReplayTest, NamesTheTensorsThatDifferOnEveryRank) {
  const verify::ReplayResult result = replay_between(2, write_changed());
  ASSERT_EQ(result.differences.size(), 2U);
  EXPECT_EQ(result.steps, 4);
  const verify::Difference& bias = result.differences[1];
  EXPECT_EQ(bias.path, "/model/dense1/bias");
  EXPECT_EQ(bias.first, 2);
  EXPECT_EQ(bias.count, 1);
  EXPECT_FLOAT_EQ(static_cast<float>(bias.in_file), static_cast<float>(bias.replayed) + 1);
  EXPECT_EQ(result.differences[0].path, "/optimizer/momentum/conv1/weight");
  EXPECT_EQ(result.differences[0].count, 1);
  world().barrier();
}

TEST_F(ReplayTest, RefusesTheWrongOrder) {
  EXPECT_THROW((void)replay_between(6, checkpoint(options_, 2)), ConfigError);
  world().barrier();
}

}  // namespace
}  // namespace convoy::train
