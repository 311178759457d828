#include "convoy/verify/compare_runs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "convoy/config/config.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/train/run_directory.hpp"
#include "convoy/train/same_run.hpp"
#include "replayed_run.hpp"

namespace convoy::verify {
namespace {

/// A run's folder.
struct Run {
  std::string dir;
  std::map<std::int64_t, std::string> checkpoints;  ///< by step
  std::string record;                               ///< empty: none
  model::CheckpointHeader newest;
  std::string isa;  ///< of its first steps

  explicit Run(std::string of) : dir(std::move(of)) {
    const train::RunDirectory folder(dir);
    for (const std::string& name : model::list_checkpoints(folder.checkpoints())) {
      const std::string path = folder.checkpoints() + '/' + name;
      const model::CheckpointHeader header = model::read_checkpoint_header(path);
      if (checkpoints.empty()) newest = header;
      checkpoints.emplace(header.progress.step, path);
      isa = header.isa;  // the oldest one's at last
    }
    if (checkpoints.empty())
      throw ConfigError(fmt::format("{} holds no checkpoint; --runs takes the run.dir of two runs", dir));
    const std::string hashes = folder.path_of(train::LineFile::kHashes);
    if (io::exists(hashes)) record = hashes;
  }
};

/// The differing parts of one step; only those that both have.
std::vector<model::HashedPart> different_parts(const std::vector<model::HashedPart>& parts_a,
                                               std::span<const std::uint64_t> a,
                                               const std::vector<model::HashedPart>& parts_b,
                                               std::span<const std::uint64_t> b) {
  std::vector<model::HashedPart> different;
  const bool is_aligned = parts_a == parts_b;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto other =
        is_aligned ? i : static_cast<std::size_t>(std::ranges::find(parts_b, parts_a[i]) - parts_b.begin());
    if (other < b.size() && a[i] != b[other]) different.push_back(parts_a[i]);
  }
  return different;
}

/// Reads a record forward.
class Record {
 public:
  explicit Record(const std::string& path) : hashes_(path) {}
  /// True if the record has `step`, which must not be below an earlier one.
  bool seek(std::int64_t step) {
    while (!is_over_ && (!has_ || hashes_.step() < step)) {
      has_ = hashes_.next();
      is_over_ = !has_;
    }
    return has_ && hashes_.step() == step;
  }
  /// The next step.
  bool next() { return has_ = hashes_.next(); }
  [[nodiscard]] const model::StepHashes& at() const { return hashes_; }

 private:
  model::StepHashes hashes_;
  bool has_ = false;
  bool is_over_ = false;
};

/// Rank 0. Steps are read in order and not bisected: a fault that a later step hides is a fault, too.
void compare_records(const Run& a, const Run& b, RunsComparison& result) {
  if (a.record.empty() || b.record.empty()) return;
  Record of_a(a.record);
  Record of_b(b.record);
  while (of_a.next()) {
    if (!of_b.seek(of_a.at().step())) continue;
    result.have_records = true;
    result.last_recorded = of_a.at().step();
    auto parts =
        different_parts(of_a.at().parts(), of_a.at().hashes(), of_b.at().parts(), of_b.at().hashes());
    if (parts.empty()) continue;
    result.recorded = Parting{of_a.at().step(), std::move(parts)};
    return;
  }
}

/// Rank 0. Returns the steps of checkpoints with the same bits. Bisection: a state with other bits does not
/// come back to the same ones.
std::vector<std::int64_t> compare_checkpoints(const Run& a, const Run& b, RunsComparison& result) {
  std::vector<std::int64_t> common;
  for (const auto& [step, path] : a.checkpoints)
    if (b.checkpoints.contains(step)) common.push_back(step);
  result.common = static_cast<std::int64_t>(common.size());
  const auto is_equal = [&](std::int64_t step) {
    for (const Run* run : {&a, &b}) model::require_sound_checkpoint(run->checkpoints.at(step));
    return model::hash_of_checkpoint(a.checkpoints.at(step)) ==
           model::hash_of_checkpoint(b.checkpoints.at(step));
  };
  const auto parting = std::partition_point(common.begin(), common.end(), is_equal);
  if (parting != common.begin()) result.last_equal = *(parting - 1);
  if (parting != common.end()) result.first_different = *parting;
  common.erase(parting, common.end());
  return common;
}

/// Throws ConfigError unless B is a run like A.
void require_equal_runs(const Run& a, const config::Options& options, const Run& b) {
  const std::string& path = b.checkpoints.rbegin()->second;
  std::vector<std::string> texts;
  for (const train::RunDifference& each :
       train::run_differences(b.newest, path, options, a.newest.data_digest))
    texts.push_back(
        fmt::format("{} is '{}' in {} and '{}' in {}", each.what, each.here, a.dir, each.there, b.dir));
  if (!texts.empty())
    throw ConfigError(
        fmt::format("{} and {} are different runs ({}); --runs compares runs that should have the "
                    "same bits",
                    a.dir, b.dir, join(texts, "; ")));
}

/// Without a record that tells the step, the checkpoint that differs.
std::int64_t end_of_replay(const RunsComparison& result) {
  return result.recorded ? result.recorded->step : *result.first_different;
}

/// Does the steps again from the last common checkpoint, until both runs' fates are known.
class Judge {
 public:
  Judge(const config::Options& options, const comm::Communicator& world, const RunsRequest& request,
        const std::vector<Run>& runs, RunsComparison& result)
      : request_(request),
        runs_(runs),
        result_(result),
        replay_(options, world, request.isa, has_record() ? model::Hashed::kLayers : model::Hashed::kNone) {
    result_.isa = kernels::to_string(replay_.isa());
    for (const Run& run : runs_)
      result_.replayed.push_back({.dir = run.dir, .isa = run.isa, .parting = {}, .differences = {}});
  }

  void run() {
    if (const std::string& digest = runs_.front().newest.data_digest; replay_.dataset().digest() != digest)
      throw ConfigError(
          fmt::format("the data set is not what {} was trained on (its checksum is {}, there {}); "
                      "--data names another",
                      runs_.front().dir, replay_.dataset().digest(), digest));
    if (result_.replayed_from > 0) {
      const std::string& path = runs_.front().checkpoints.at(result_.replayed_from);
      model::CheckpointHeader header;
      io::agreed(world(), [&] { header = model::read_checkpoint_header(path); });
      replay_.begin(header, path);
    } else {
      replay_.begin();
    }
    const std::int64_t end = end_of_replay(result_);
    const bool is_root = world().is_root();
    std::vector<std::unique_ptr<Record>> records(runs_.size());
    io::agreed_at_root(world(), [&] {
      for (std::size_t i = 0; i < runs_.size(); ++i)
        if (!runs_[i].record.empty()) records[i] = std::make_unique<Record>(runs_[i].record);
    });
    const std::vector<model::HashedPart> parts = replay_.parts();
    replay_.repeat_until(end, [&](std::int64_t step, std::span<const std::uint64_t> hashes) {
      result_.replayed_to = step;
      if (has_record())
        io::agreed_at_root(world(), [&] {
          for (std::size_t i = 0; i < runs_.size(); ++i)
            if (records[i]) compare(step, parts, hashes, *records[i], result_.replayed[i]);
        });
      if (is_root && request_.progress)
        request_.progress(step - result_.replayed_from, end - result_.replayed_from);
    });
    compare_checkpoints_at_end();
  }

 private:
  [[nodiscard]] const comm::Communicator& world() const { return replay_.world(); }
  [[nodiscard]] bool has_record() const {
    return std::ranges::any_of(runs_, [](const Run& run) { return !run.record.empty(); });
  }

  /// Rank 0.
  static void compare(std::int64_t step, const std::vector<model::HashedPart>& parts,
                      std::span<const std::uint64_t> hashes, Record& record, Replayed& fate) {
    if (fate.parting || !record.seek(step)) return;
    fate.is_compared = true;
    auto different = different_parts(parts, hashes, record.at().parts(), record.at().hashes());
    if (!different.empty()) fate.parting = Parting{step, std::move(different)};
  }

  void compare_checkpoints_at_end() {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      const auto found = runs_[i].checkpoints.find(result_.replayed_to);
      if (found == runs_[i].checkpoints.end()) continue;
      model::CheckpointHeader header;
      io::agreed(world(), [&] { header = model::read_checkpoint_header(found->second); });
      result_.replayed[i].differences = replay_.compare_with(header, found->second);
      result_.replayed[i].is_compared = true;
    }
  }

  const RunsRequest& request_;
  const std::vector<Run>& runs_;
  RunsComparison& result_;
  ReplayedRun replay_;
};

std::string parts_in_words(const std::vector<model::HashedPart>& parts) {
  std::string text = to_string(parts.front());
  if (parts.size() > 1)
    text += fmt::format(", then in {}", counted(static_cast<std::int64_t>(parts.size()) - 1, "other place"));
  return text;
}

std::string fate_in_words(const Replayed& run) {
  if (run.agrees()) return fmt::format("  {} has the same bits as the replay\n", run.dir);
  if (run.parting)
    return fmt::format("  {} differs from the replay first in step {}: {}\n", run.dir,
                       grouped(run.parting->step), parts_in_words(run.parting->parts));
  if (!run.is_compared) return fmt::format("  {} has nothing to compare the replay with\n", run.dir);
  std::vector<std::string> paths;
  for (const Difference& each : run.differences) paths.push_back(each.path);
  constexpr std::size_t kMost = 5;
  const std::size_t more = paths.size() > kMost ? paths.size() - kMost : 0;
  paths.resize(paths.size() - more);
  return fmt::format("  {} differs from the replay in {}{}\n", run.dir, join(paths, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

}  // namespace

RunsComparison compare_runs(const comm::Communicator& world, const RunsRequest& request) {
  step::compare_across_ranks(world, {}, "build", step::build_digest(), step::kSameBuild);
  std::vector<Run> runs;
  config::Options options;
  io::agreed(world, [&] {
    for (const std::string& dir : {request.a, request.b}) runs.emplace_back(dir);
    options = config::from_checkpoint(runs.front().newest.config, runs.front().checkpoints.rbegin()->second);
    require_equal_runs(runs.front(), options, runs.back());
  });
  if (!request.data.empty()) options.data.file = request.data;
  options.threads = static_cast<int>(request.threads);
  step::BatchPlan(options).require_work_for(world.size());

  RunsComparison result;
  io::agreed_at_root(world, [&] {
    const std::vector<std::int64_t> equal = compare_checkpoints(runs.front(), runs.back(), result);
    compare_records(runs.front(), runs.back(), result);
    if (!result.agrees()) {
      const auto last = std::ranges::lower_bound(equal, end_of_replay(result));
      if (last != equal.begin()) result.replayed_from = *(last - 1);
    }
    if (result.common == 0 && !result.have_records)
      throw ConfigError(
          fmt::format("{} and {} have no checkpoint and no recorded step in common", request.a, request.b));
  });
  // What the other ranks need of it.
  const auto shared = [&](std::optional<std::int64_t>& step) {
    const auto value = world.broadcast_value(step.value_or(-1));
    step = value < 0 ? std::nullopt : std::optional(value);
  };
  std::optional<std::int64_t> recorded =
      result.recorded ? std::optional(result.recorded->step) : std::nullopt;
  for (std::optional<std::int64_t>* each : {&result.last_equal, &result.first_different, &recorded})
    shared(*each);
  if (recorded && !result.recorded) result.recorded = Parting{*recorded, {}};
  result.replayed_from = result.replayed_to = world.broadcast_value(result.replayed_from);
  if (!result.agrees()) Judge(options, world, request, runs, result).run();
  return result;
}

std::string to_text(const RunsComparison& result, const RunsRequest& request) {
  std::string text;
  const auto line = [&](const std::string& more) { text += more + '\n'; };
  if (result.common > 0)
    line(fmt::format(
        "Checkpoints: {} of the same step; {}", result.common,
        result.first_different
            ? (result.last_equal ? fmt::format("the same bits up to step {}, OTHER BITS from step {} on",
                                               grouped(*result.last_equal), grouped(*result.first_different))
                                 : fmt::format("OTHER BITS from the first one on, step {}",
                                               grouped(*result.first_different)))
            : "the same bits"));
  if (result.recorded)
    line(fmt::format("Recorded steps: OTHER BITS first in step {}: {}", grouped(result.recorded->step),
                     parts_in_words(result.recorded->parts)));
  else if (result.have_records)
    line(fmt::format("Recorded steps: the same bits up to step {}", grouped(result.last_recorded)));
  if (result.replayed_to > result.replayed_from) {
    const std::string first = grouped(result.replayed_from + 1);
    const bool is_one = result.replayed_to == result.replayed_from + 1;
    line(fmt::format(
        "{} done again here, {}:",
        is_one ? "Step " + first : fmt::format("Steps {} to {}", first, grouped(result.replayed_to)),
        result.isa));
    for (const Replayed& run : result.replayed) {
      text += fate_in_words(run);
      if (!kernels::same_bits(run.isa, kernels::parse_isa(result.isa)))
        line(
            fmt::format("    (it was trained with instruction set {}, which makes other bits; CONVOY_ISA={} "
                        "replays with it where the processor has it)",
                        run.isa, run.isa));
    }
  }
  if (!result.agrees() && !result.recorded)
    line(fmt::format(
        "Runs with run.hashes = layers record every step, so that the step and the layer in which {} "
        "and {} part can be named",
        request.a, request.b));
  return text;
}

}  // namespace convoy::verify
