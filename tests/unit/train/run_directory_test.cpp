#include "convoy/train/run_directory.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "convoy/core/error.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/model/checkpoint.hpp"
#include "train/owner.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::train {
namespace {

using test::ScratchFolder;

/// Sets a variable of the environment.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~ScopedVariable() { ::unsetenv(name_); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
};

std::string step(int number) {
  return "{\"event\":\"step\",\"epoch\":1,\"step\":" + std::to_string(number) + ",\"loss\":0.5}";
}

TEST(RunDirectory, ClaimMakesTheFoldersAndNamesTheRun) {
  const ScratchFolder folder;
  RunDirectory run(folder / "a/b");
  run.claim();
  EXPECT_TRUE(io::is_folder(folder / "a/b/checkpoints"));
  EXPECT_NE(io::read_text_file(folder / "a/b/owner").find(comm::host_name()), std::string::npos);
  EXPECT_NO_THROW(run.require_ownership());
}

TEST(RunDirectory, ARunThatWasTakenOverTouchesNothingMore) {
  const ScratchFolder folder;
  RunDirectory first(folder.path());
  first.claim();
  first.append_lines(LineFile::kMetrics, step(1) + '\n');
  test::write_bytes(first.checkpoints() + "/step-00000001.h5", "");
  RunDirectory second(folder.path(), true);
  second.claim();

  const std::string message =
      test::message_of<Error>([&] { first.append_lines(LineFile::kMetrics, step(2) + '\n'); });
  EXPECT_HOLDS(message, "belongs to another run now");
  EXPECT_THROW(first.write_config("x"), Error);
  EXPECT_THROW(first.cut_lines(LineFile::kMetrics, 0), Error);
  EXPECT_THROW(first.prune_checkpoints(0, ""), Error);
  EXPECT_EQ(io::read_text_file(folder / "metrics.jsonl"), step(1) + '\n');
  EXPECT_FALSE(io::exists(folder / "config.ini"));
  EXPECT_EQ(model::list_checkpoints(first.checkpoints()).size(), 1U);
  EXPECT_NO_THROW(second.append_lines(LineFile::kMetrics, step(2) + '\n'));
}

TEST(RunDirectory, ASecondStartIsRefusedWhileTheFirstLives) {
  const ScratchFolder folder;
  {
    RunDirectory first(folder.path());
    first.claim();
    RunDirectory second(folder.path());
    const std::string message = test::message_of<ConfigError>([&] { second.claim(); });
    EXPECT_HOLDS(message, "belongs to a run that is alive (" + comm::host_name() + " pid ");
    EXPECT_HOLDS(message, "--take-over");
    EXPECT_NO_THROW(first.require_ownership());
  }
  RunDirectory third(folder.path());
  EXPECT_NO_THROW(third.claim());
}

TEST(Owner, OfAProcessThatEndedOrOfAnEarlierStartOfTheJobIsNone) {
  const ScratchFolder folder;
  OwnerRecord owner = OwnerRecord::of_this_process();
  const auto is_free = [&] {
    io::write_text_file(folder / "owner", owner.text());
    try {
      require_no_live_owner(folder / "owner", {});
    } catch (const ConfigError&) {
      return false;
    }
    return true;
  };
  EXPECT_FALSE(is_free());
  owner.process_start = "1";  // another process had this number
  EXPECT_TRUE(is_free());
  owner = OwnerRecord::of_this_process();
  owner.pid = "999999999";
  EXPECT_TRUE(is_free());
  owner = OwnerRecord::of_this_process();
  owner.has_ended = true;
  EXPECT_TRUE(is_free());
  const ScopedVariable job("SLURM_JOB_ID", "77");
  owner = OwnerRecord::of_this_process();
  EXPECT_FALSE(is_free());
  const ScopedVariable restart("SLURM_RESTART_COUNT", "1");
  EXPECT_TRUE(is_free());
  owner.job = "78";
  EXPECT_FALSE(is_free());
}

TEST(Owner, OfAnotherNodeLivesAsLongAsItsHeartBeats) {
  using std::chrono::milliseconds;
  const ScratchFolder folder;
  OwnerRecord owner = OwnerRecord::of_this_process();
  owner.host += "-other";
  io::write_text_file(folder / "owner", owner.text());
  const OwnerTimes times{.silence = milliseconds(400), .between_beats = milliseconds(50)};
  EXPECT_NO_THROW(require_no_live_owner(folder / "owner", times));
  const Heartbeat heartbeat(folder / "owner", times.between_beats);
  EXPECT_THROW(require_no_live_owner(folder / "owner", {.silence = milliseconds(60'000)}), ConfigError);
}

TEST(RunDirectory, AMissingOwnerFileIsNoOwnership) {
  const ScratchFolder folder;
  RunDirectory run(folder.path());
  run.claim();
  io::remove_file(folder / "owner");
  EXPECT_THROW(run.require_ownership(), Error);
}

TEST(RunDirectory, CutMetricsKeepsTheLinesUpToAStepAndDropsATornOne) {
  const ScratchFolder folder;
  RunDirectory run(folder.path());
  run.claim();
  run.cut_lines(LineFile::kMetrics, 5);  // the file does not exist yet
  EXPECT_FALSE(io::exists(folder / "metrics.jsonl"));
  const std::string start = "{\"event\":\"start\",\"step\":0,\"version\":\"1\"}";
  for (const std::string& line : {start, step(1), step(2), step(3)})
    run.append_lines(LineFile::kMetrics, line + '\n');
  test::write_bytes(folder / "metrics.jsonl", test::read_bytes(folder / "metrics.jsonl") +
                                                  "{\"event\":\"step\",\"epoch\":1,\"step\":2");
  run.cut_lines(LineFile::kMetrics, 2);
  EXPECT_EQ(io::read_text_file(folder / "metrics.jsonl"), start + '\n' + step(1) + '\n' + step(2) + '\n');
  run.cut_lines(LineFile::kMetrics, -1);  // a new start
  EXPECT_EQ(io::read_text_file(folder / "metrics.jsonl"), "");
}

TEST(RunDirectory, PruneKeepsSoManyFromTheOneWrittenAndWhatIsNewer) {
  const ScratchFolder folder;
  RunDirectory run(folder.path());
  run.claim();
  for (const int number : {1, 2, 30, 400})
    test::write_bytes(run.checkpoints() + '/' + model::checkpoint_name(number), "");
  test::write_bytes(run.checkpoints() + "/notes.txt", "");
  run.prune_checkpoints(2, model::checkpoint_name(30));
  EXPECT_EQ(model::list_checkpoints(run.checkpoints()),
            (std::vector<std::string>{"step-00000400.h5", "step-00000030.h5", "step-00000002.h5"}));
  run.prune_checkpoints(1, model::checkpoint_name(400));
  EXPECT_EQ(model::list_checkpoints(run.checkpoints()), (std::vector<std::string>{"step-00000400.h5"}));
  EXPECT_TRUE(io::exists(run.checkpoints() + "/notes.txt"));
}

TEST(RunDirectory, KeepsTheBestBesideTheNewestAndLeadsToIt) {
  const ScratchFolder folder;
  RunDirectory run(folder.path());
  run.claim();
  const auto name = [](int step) { return model::checkpoint_name(step); };
  for (const int number : {1, 2, 3, 4}) test::write_bytes(run.checkpoints() + '/' + name(number), "");
  run.link_best(name(1));
  run.link_best(name(2));
  run.prune_checkpoints(1, name(4), name(2));
  EXPECT_EQ(model::list_checkpoints(run.checkpoints()), (std::vector<std::string>{name(4), name(2)}));
  EXPECT_EQ(std::filesystem::read_symlink(run.checkpoints() + "/best.h5"), name(2));
  EXPECT_EQ(io::list_folder(run.checkpoints()).size(), 3U);  // and best.h5
}

TEST(ListCheckpoints, IsByNumberNewestFirstAndIgnoresOtherNames) {
  const ScratchFolder folder;
  for (const char* name : {"step-00000009.h5", "step-00000010.h5", "step-123456789.h5", "step-9.h5",
                           "step-0000000x.h5", ".step-00000011.h5.nojob.h.1.tmp", "step-00000012.h5.bak"})
    test::write_bytes(folder / name, "");
  EXPECT_EQ(model::list_checkpoints(folder.path()),
            (std::vector<std::string>{"step-123456789.h5", "step-00000010.h5", "step-00000009.h5"}));
  EXPECT_TRUE(model::list_checkpoints(folder / "nowhere").empty());
}

}  // namespace
}  // namespace convoy::train
