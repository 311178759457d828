#include "checkpoint_writer.hpp"

#include "best.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

#include "convoy/core/backoff.hpp"
#include "convoy/core/error.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

CheckpointWriter::CheckpointWriter(const config::Options& options, const comm::Communicator& world,
                                   const nn::Network& network, const model::State& state,
                                   const RunDirectory& directory, io::IoThread& io_thread, Observer& listener)
    : options_(options),
      world_(world),
      network_(network),
      directory_(directory),
      io_thread_(io_thread),
      listener_(listener),
      group_(world.split(0), options.checkpoint_writers, network, state) {}

void CheckpointWriter::save(model::CheckpointHeader header, const model::State& state,
                            model::Provenance provenance, Wait wait) {
  constexpr std::chrono::seconds kPause(1);
  if (!std::ranges::all_of(state.parameters, [](float value) { return std::isfinite(value); }))
    throw DivergedError(
        "training diverged (a parameter is not finite); a smaller schedule.lr would be the first thing to "
        "try");
  settle();
  const Clock::time_point begin = Clock::now();
  auto job = std::make_shared<Job>();
  job->path = directory_.checkpoints() + '/' + model::checkpoint_name(header.progress.step);
  job->header = std::move(header);
  job->provenance = std::move(provenance);
  snapshot_ = model::take_snapshot(group_, network_, state, std::move(snapshot_));
  job->seconds = job->waited = seconds_since(begin);
  post(job);
  if (wait == Wait::kNo && options_.checkpoint_async && group_.may_write_beside()) return;
  settle();
  while (wait == Wait::kYes && failures_ > 0) {
    std::this_thread::sleep_for(kPause);
    job->seconds = job->waited = 0;
    job->failure.clear();
    job->is_done = job->is_told = false;
    post(job);
    settle();
  }
}

void CheckpointWriter::post(std::shared_ptr<Job> job) {
  job_ = job;
  io_thread_.post([this, job = std::move(job)] {
    write(*job);
    job->is_done.store(true, std::memory_order_release);
  });
}

void CheckpointWriter::write(Job& job) const {
  const Clock::time_point begin = Clock::now();
  try {
    io::agreed_at_root(group_.world(), [&] {
      if (!directory_.require_checkpoints())
        job.warning = directory_.checkpoints() +
                      " was removed, and the checkpoints in it; it was made again for the next one";
    });
    model::write_checkpoint(job.path, group_, network_, job.header, snapshot_, job.provenance,
                            options_.checkpoint_gzip, [&] { directory_.require_ownership(); });
    if (world_.is_root()) {
      try {
        const model::Progress& progress = job.header.progress;
        const bool is_known = has_best(options_, progress);
        const std::string best = is_known ? model::checkpoint_name(progress.best.step) : "";
        if (is_known && progress.best.step == progress.step) directory_.link_best(best);
        directory_.prune_checkpoints(options_.keep, io::name_of(job.path), best);
      } catch (const std::exception& error) {
        job.warning = std::string(error.what()) + "; old checkpoints stay";
      }
    }
  } catch (const std::exception& error) {
    job.failure = error.what();
  }
  job.seconds += seconds_since(begin);
}

void CheckpointWriter::tell() {
  if (!job_ || job_->is_told || !job_->is_done.load(std::memory_order_acquire)) return;
  job_->is_told = true;
  if (!world_.is_root()) return;
  if (!job_->warning.empty()) listener_.on_warning(job_->warning);
  if (job_->failure.empty()) {
    listener_.on_checkpoint({.path = job_->path, .seconds = job_->seconds, .waited = job_->waited});
  } else if (is_standing() && failures_ < options_.checkpoint_retries) {
    listener_.on_warning(
        fmt::format("{}; training goes on, since {} stands (failure {} in a row, the run ends with number "
                    "{}: checkpoint.retries)",
                    job_->failure, last_good_, failures_ + 1, options_.checkpoint_retries + 1));
  }
}

bool CheckpointWriter::is_standing() const {
  return !last_good_.empty() && io::exists(last_good_);
}

void CheckpointWriter::settle() {
  if (!job_) return;
  const Clock::time_point begin = Clock::now();
  for (Backoff backoff; !job_->is_done.load(std::memory_order_acquire); backoff.wait()) {
  }
  job_->waited += seconds_since(begin);
  tell();
  const std::shared_ptr<Job> job = std::exchange(job_, nullptr);
  slowest_seconds_ = std::max(slowest_seconds_, job->seconds);
  if (job->failure.empty()) {
    last_good_ = job->path;
    failures_ = 0;
    return;
  }
  ++failures_;
  io::agreed_at_root(world_, [&] {
    directory_.require_ownership();
    if (!is_standing()) throw IoError(job->failure + "; the run ends, since no checkpoint of it stands");
    if (failures_ > options_.checkpoint_retries)
      throw IoError(fmt::format("{}; the run ends after {} failures in a row (checkpoint.retries), {} stands",
                                job->failure, failures_, last_good_));
  });
}

}  // namespace convoy::train
