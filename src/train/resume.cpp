#include "resume.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "convoy/config/config.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/file_system.hpp"
#include "convoy/machine/probe.hpp"
#include "convoy/train/same_run.hpp"

namespace convoy::train {
namespace {

/// Skips damaged checkpoints. Rethrows if one cannot be read: it may be intact and must not be overwritten.
std::string newest_sound(const RunDirectory& directory, Observer& listener) {
  const std::vector<std::string> names = model::list_checkpoints(directory.checkpoints());
  for (const std::string& name : names) {
    std::string path = directory.checkpoints() + "/" + name;
    try {
      model::require_sound_checkpoint(path);
      return path;
    } catch (const DataError& error) {
      listener.on_warning(std::string(error.what()) +
                          (name == names.back() ? "; there is none before it, the run starts afresh"
                                                : "; trying the one before it"));
    } catch (const Error&) {
      // If the file is gone, another run deleted it, because it does not know yet that this run owns the
      // folder.
      if (io::exists(path)) throw;
    }
  }
  return {};
}

}  // namespace

std::string find_resume_point(const comm::Communicator& world, const Launch& launch,
                              const RunDirectory& directory, Observer& listener) {
  std::string from;
  io::agreed_at_root(world, [&] {
    if (launch.dry_run) machine::require_may_write(directory.path());
    switch (launch.resume) {
      case Resume::kAuto:
        from = newest_sound(directory, listener);
        break;
      case Resume::kPath:
        model::require_sound_checkpoint(launch.resume_path);
        from = launch.resume_path;
        break;
      case Resume::kNever:
        if (!model::list_checkpoints(directory.checkpoints()).empty()) {
          throw ConfigError(
              "run.dir = " + directory.path() +
              " already holds checkpoints (nothing is overwritten); --resume auto goes on from the newest, "
              "another run.dir starts afresh");
        }
    }
  });
  return world.broadcast(from);
}

void begin_branch(const RunDirectory& directory, const std::string& from, std::int64_t step,
                  const std::string& differences, Observer& listener) {
  for (const std::string& name : model::list_checkpoints(directory.checkpoints())) {
    if (name == model::checkpoint_name(step)) break;
    const std::string newer = directory.checkpoints() + '/' + name;
    if (io::verify_checksum(newer).state != io::ChecksumState::kGood) continue;
    throw ConfigError(
        fmt::format("cannot go on from {} as another run would ({}) in run.dir = {}: it holds {} of the run "
                    "so far, which the next --resume auto would take; name another run.dir",
                    from, differences, directory.path(), newer));
  }
  listener.on_warning(fmt::format(
      "going on from {} as another run would: {}; what follows is no continuation of that run to the bit",
      from, differences));
}

std::vector<RunDifference> run_differences(const model::CheckpointHeader& header, const std::string& path,
                                           const config::Options& options, const std::string& data_digest) {
  std::vector<RunDifference> found;
  for (const config::Difference& key : config::differences(header.config, path, options)) {
    // data.window changes the sample order only with order = chunks; with full order, only the size of a
    // read.
    if (key.key == "data.window" && options.data.order == data::Order::kFull) continue;
    // These schedules do not depend on the number of epochs: it only says when the run ends.
    const bool is_cubic = options.optimizer.lookahead_steps > 0 &&
                          options.optimizer.lookahead_schedule == optim::LookaheadSchedule::kCubic;
    if (key.key == "train.epochs" && !is_cubic &&
        (options.schedule.kind == optim::ScheduleKind::kConstant ||
         options.schedule.kind == optim::ScheduleKind::kStep ||
         options.schedule.kind == optim::ScheduleKind::kPlateau))
      continue;
    if (key.effect == config::Effect::kBits) found.push_back({key.key, key.there, key.here});
  }
  if (header.data_digest != data_digest)
    found.push_back({"the content of the data set", header.data_digest, data_digest});
  return found;
}

namespace {

/// True for what a checkpoint cannot go on with: another network, another batch, states that it lacks.
bool is_fixed(const RunDifference& each) {
  const bool lacks_state = each.what == "optimizer.name" ||
                           (each.what == "optimizer.centered" && each.there == "no") ||
                           (each.what == "optimizer.momentum" && each.there == "0") ||
                           (each.what == "optimizer.lookahead-steps" && each.there == "0");
  return lacks_state || each.what.starts_with("network.") || each.what == "train.batch";
}

}  // namespace

std::string require_same_run(const model::CheckpointHeader& header, const std::string& path,
                             const config::Options& options, const std::string& data_digest, bool anyway) {
  if (header.fit_begin != model::Position())
    throw ConfigError(fmt::format(
        "cannot go on from {}: a program with the library wrote it in a later fit; that program goes "
        "on with it (Model::resume)",
        path));
  std::vector<std::string> differences;
  std::string fixed;  // the first difference that even `anyway` does not allow
  for (const RunDifference& each : run_differences(header, path, options, data_digest)) {
    const std::string both =
        fmt::format("{} differs (there '{}', here '{}')", each.what, each.there, each.here);
    const bool fixed_here = is_fixed(each);
    if (fixed_here && fixed.empty()) fixed = both;
    if (!fixed_here) differences.push_back(both);
  }
  if (fixed.empty() && (anyway || differences.empty())) return join(differences, ", ");
  const std::string begun_with = io::folder_of(io::folder_of(path)) + "/config.ini";
  throw ConfigError(fmt::format(
      "cannot go on from {}: {}; resume with what the run began with{}, or start afresh in another run.dir{}",
      path, fixed.empty() ? differences.front() : fixed,
      io::exists(begun_with) ? " (--config " + begun_with + ")" : "",
      fixed.empty() ? "; --resume-anyway goes on as another run would" : ""));
}

void require_position(const model::Progress& progress, const std::string& path,
                      std::int64_t steps_per_epoch) {
  if (progress.step / steps_per_epoch == progress.epoch) return;
  throw ConfigError(
      fmt::format("cannot go on from {}: step {} was in epoch {} there, and here is in epoch {} (the data "
                  "set has another number of samples); start afresh in another run.dir",
                  path, progress.step, progress.epoch + 1, progress.step / steps_per_epoch + 1));
}

}  // namespace convoy::train
