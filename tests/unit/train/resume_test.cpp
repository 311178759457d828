#include "resume.hpp"

#include <gtest/gtest.h>

#include "convoy/config/config.hpp"
#include "convoy/core/error.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/train/same_run.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::train {
namespace {

using comm::Communicator;
using test::message_of;

constexpr const char* kIni =
    "# made by a run\n[data]\norder = full\nwindow = 64\n[network]\nlayer = conv 4 3x3\nlayer = dense 3\n"
    "loss = quadratic\n[schedule]\nlr = 0.1\n[train]\nbatch = 128\nseed = 1\nmax-steps = 9\n[run]\ndir = "
    "a\n[comm]\nwire = fp32\noverlap = yes\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

model::CheckpointHeader header_of(const std::string& ini) {
  model::CheckpointHeader header;
  header.config = ini;
  header.data_digest = std::string("d");  // not "d": GCC 12 reports overlapping copies (GCC bug 105651)
  return header;
}

/// Replaces `from` by `to` in the run's configuration and returns the result of require_same_run.
std::string resume_with(const std::string& from, const std::string& to, bool anyway = false) {
  const config::Options options = config::from_checkpoint(replaced(kIni, from, to), "here");
  return require_same_run(header_of(kIni), "p.h5", options, "d", anyway);
}

TEST(SameRun, GoesOnWithItsOwnConfiguration) {
  EXPECT_EQ(resume_with("[run]", "[run]"), "");
}

TEST(SameRun, WhatDoesNotTouchTheTrajectoryMayDiffer) {
  EXPECT_EQ(resume_with("dir = a", "dir = b"), "");
  EXPECT_EQ(resume_with("max-steps = 9", "max-steps = 10"), "");
  EXPECT_EQ(resume_with("overlap = yes", "overlap = no"), "");
  EXPECT_EQ(resume_with("[run]", "[checkpoint]\nkeep = 7\n[run]"), "");
}

TEST(SameRun, ARefusalNamesTheKeyAndBothValues) {
  const std::string message = message_of<ConfigError>([] { resume_with("seed = 1", "seed = 2"); });
  for (const char* part : {"p.h5", "train.seed differs", "there '1'", "here '2'", "--resume-anyway"})
    EXPECT_HOLDS(message, part);
}

TEST(SameRun, ALaterFitOfTheLibraryIsNoRunOfTheProgram) {
  const config::Options options = config::from_checkpoint(kIni, "here");
  model::CheckpointHeader header = header_of(kIni);
  header.fit_begin = {.step = 8, .epoch = 2};
  EXPECT_HOLDS(message_of<ConfigError>([&] { (void)require_same_run(header, "p.h5", options, "d"); }),
               "wrote it in a later fit");
}

TEST(SameRun, TheFormOnTheWireDecidesBits) {
  EXPECT_HOLDS(message_of<ConfigError>([] { resume_with("wire = fp32", "wire = bf16"); }), "comm.wire");
}

TEST(SameRun, AllLinesOfARepeatedKeyCount) {
  EXPECT_HOLDS(message_of<ConfigError>([] { resume_with("layer = dense 3", "layer = dense 4"); }),
               "conv 4 3x3 | dense 4");
}

TEST(SameRun, AWindowDecidesTheOrderOfChunksAlone) {
  EXPECT_EQ(resume_with("window = 64", "window = 8"), "");
  const config::Options options = config::from_checkpoint(
      replaced(replaced(kIni, "order = full", "order = chunks"), "window = 64", "window = 8"), "here");
  const model::CheckpointHeader header = header_of(replaced(kIni, "order = full", "order = chunks"));
  EXPECT_HOLDS(message_of<ConfigError>([&] { require_same_run(header, "p.h5", options, "d"); }),
               "data.window");
}

TEST(SameRun, AKeyThatIsNewerThanTheCheckpointStoodForItsDefault) {
  EXPECT_EQ(resume_with("[train]", "[train]\nprecision = fp32"), "");
  EXPECT_HOLDS(message_of<ConfigError>([] { resume_with("[train]", "[train]\nprecision = bf16"); }),
               "train.precision");
}

TEST(SameRun, AnywayReturnsTheDifferences) {
  EXPECT_EQ(resume_with("seed = 1", "seed = 2", true), "train.seed differs (there '1', here '2')");
}

TEST(SameRun, NetworkAndBatchNeverDiffer) {
  for (const auto& [from, to] : {std::pair{"dense 3", "dense 4"}, std::pair{"batch = 128", "batch = 64"}}) {
    const std::string message =
        message_of<ConfigError>([from = from, to = to] { resume_with(from, to, true); });
    EXPECT_HOLDS(message, "differs");
    EXPECT_EQ(message.find("--resume-anyway"), std::string::npos) << message;
  }
}

TEST(SameRun, OtherDataIsAnotherRun) {
  const config::Options options = config::from_checkpoint(kIni, "here");
  const model::CheckpointHeader header = header_of(kIni);
  EXPECT_HOLDS(message_of<ConfigError>([&] { require_same_run(header, "p.h5", options, "e"); }),
               "content of the data set");
  EXPECT_NE(require_same_run(header, "p.h5", options, "e", true), "");
}

TEST(SameRun, OptionsMadeByHandAreComparedToo) {
  config::Options options;
  options.layers = {{"conv 4 3x3", "by hand"}, {"dense 3", "by hand"}};
  options.schedule.lr = 0.1;
  const model::CheckpointHeader header = header_of(config::effective_ini(options));
  options.dir = "elsewhere";
  EXPECT_EQ(require_same_run(header, "p.h5", options, "d"), "");
  options.schedule.lr = 0.2;
  EXPECT_HOLDS(message_of<ConfigError>([&] { require_same_run(header, "p.h5", options, "d"); }),
               "schedule.lr");
}

TEST(SameRun, AKeyOfANewerProgramDecidesBitsUnlessItsSectionDoesNot) {
  const config::Options options = config::from_checkpoint(kIni, "here");
  const model::CheckpointHeader in_train = header_of(replaced(kIni, "[train]", "[train]\ncolour = blue"));
  EXPECT_HOLDS(message_of<ConfigError>([&] { require_same_run(in_train, "p.h5", options, "d"); }),
               "train.colour differs (there 'blue', here '')");
  const model::CheckpointHeader in_run = header_of(replaced(kIni, "[run]", "[run]\ncolour = blue"));
  EXPECT_EQ(require_same_run(in_run, "p.h5", options, "d"), "");
}

TEST(Position, MustBeInTheEpochThatWasStored) {
  EXPECT_NO_THROW(require_position({.step = 14, .epoch = 2}, "p.h5", 5));
  EXPECT_NO_THROW(require_position({.step = 15, .epoch = 3}, "p.h5", 5));
  EXPECT_HOLDS(message_of<ConfigError>([] { require_position({.step = 14, .epoch = 2}, "p.h5", 4); }),
               "step 14 was in epoch 3 there, and here is in epoch 4");
}

/// A run directory with checkpoints.
class ResumePoint : public testing::Test {
 protected:
  ResumePoint() { directory_.claim(); }

  class Warnings final : public Observer {
   public:
    void on_warning(const std::string& text) override { texts.push_back(text); }
    std::vector<std::string> texts;
  };

  [[nodiscard]] std::string path(std::int64_t step) const {
    return directory_.checkpoints() + '/' + model::checkpoint_name(step);
  }
  std::string write(std::int64_t step) {
    const nn::Network network({1, 2, 2}, {{"dense 2", "test"}}, nn::LossKind::kSoftmaxCrossEntropy,
                              std::nullopt);
    const model::State state = model::make_state(network);
    const model::WriterGroup group(Communicator::self(), model::Writers::kOne, network, state);
    model::CheckpointHeader header = header_of(kIni);
    header.input = {.shape = {1, 2, 2}, .mean = {0}, .std = {1}};
    model::write_checkpoint(path(step), group, network, header, model::take_snapshot(group, network, state),
                            {}, 0, {});
    return path(step);
  }
  void damage(std::int64_t step) { test::write_bytes(path(step), test::read_bytes(path(step)) + "more"); }

  std::string find(Resume resume, const std::string& named = {}) {
    Launch launch;
    launch.resume = resume;
    launch.resume_path = named;
    return find_resume_point(Communicator::self(), launch, directory_, warnings_);
  }

  test::ScratchFolder folder_;
  RunDirectory directory_{folder_ / "run"};
  Warnings warnings_;
};

TEST_F(ResumePoint, IsTheStartInAnEmptyFolder) {
  EXPECT_EQ(find(Resume::kAuto), "");
  EXPECT_EQ(find(Resume::kNever), "");
}

TEST_F(ResumePoint, IsTheNewest) {
  write(5);
  const std::string newest = write(12);
  write(9);
  EXPECT_EQ(find(Resume::kAuto), newest);
  EXPECT_TRUE(warnings_.texts.empty());
}

TEST_F(ResumePoint, IsTheOneBeforeADamagedOneWithAWarning) {
  const std::string sound = write(5);
  write(12);
  damage(12);
  EXPECT_EQ(find(Resume::kAuto), sound);
  ASSERT_EQ(warnings_.texts.size(), 1U);
  EXPECT_HOLDS(warnings_.texts[0], path(12));
  EXPECT_HOLDS(warnings_.texts[0], "trying the one before it");
}

TEST_F(ResumePoint, IsTheStartIfAllAreDamaged) {
  write(5);
  damage(5);
  EXPECT_EQ(find(Resume::kAuto), "");
  ASSERT_EQ(warnings_.texts.size(), 1U);
  EXPECT_HOLDS(warnings_.texts[0], "starts afresh");
}

TEST_F(ResumePoint, IsRefusedIfCheckpointsAreThereAndNobodyAskedToResume) {
  write(5);
  EXPECT_HOLDS(message_of<ConfigError>([&] { (void)find(Resume::kNever); }), "already holds checkpoints");
}

TEST_F(ResumePoint, IsTheOneNamed) {
  const std::string named = write(5);
  write(12);
  EXPECT_EQ(find(Resume::kPath, named), named);
  EXPECT_THROW((void)find(Resume::kPath, path(6)), ConfigError);
  damage(5);
  EXPECT_THROW((void)find(Resume::kPath, named), DataError);
}

TEST_F(ResumePoint, ABranchIsRefusedBesideNewerSoundCheckpoints) {
  const std::string from = write(5);
  write(12);
  EXPECT_HOLDS(
      message_of<ConfigError>([&] { begin_branch(directory_, from, 5, "train.seed differs", warnings_); }),
      path(12));
  damage(12);
  begin_branch(directory_, from, 5, "train.seed differs", warnings_);
  ASSERT_EQ(warnings_.texts.size(), 1U);
  EXPECT_HOLDS(warnings_.texts[0], "train.seed differs");
}

}  // namespace
}  // namespace convoy::train
