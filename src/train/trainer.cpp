#include "convoy/train/trainer.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "checkpoint_writer.hpp"
#include "convoy/config/config.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/hdf5_file.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/step/feed.hpp"
#include "convoy/train/evaluation.hpp"
#include "convoy/train/provenance.hpp"
#include "convoy/train/run_directory.hpp"
#include "deadline.hpp"
#include "metrics_lines.hpp"
#include "metrics_log.hpp"
#include "plan_report.hpp"
#include "preflight.hpp"
#include "requests.hpp"
#include "resume.hpp"
#include "training_setup.hpp"

namespace convoy::train {
namespace {

constexpr std::string_view kSameConfiguration = "give every rank the same files and options";
constexpr std::string_view kSameData = "let data.file name the same file on every node";

/// One rank's part of a run.
class Trainer {
 public:
  Trainer(const config::Options& options, const comm::Communicator& world, const Launch& launch)
      : options_(options),
        world_(world),
        launch_(launch),
        setup_(options, world, {"train", "test"}, launch.isa, launch.hooks),
        total_steps_(options.max_steps > 0
                         ? std::min(options.max_steps, options.epochs * setup_.steps_per_epoch)
                         : options.epochs * setup_.steps_per_epoch),
        directory_(options.dir),
        deadline_(launch.begun, options.max_seconds,
                  3 * setup_.network.gradient_size() * static_cast<std::int64_t>(sizeof(float))),
        requests_(launch.request, deadline_),
        metrics_(directory_, listener()),
        writer_(options, world, setup_.network, setup_.step_runner.state(), directory_, io_thread_,
                listener()) {
    if (const data::Split* test = setup_.dataset.split("test"); test != nullptr && test->samples() > 0)
      test_ = step::Source{.split = test, .transform = setup_.source.transform};
    if (options.profile) setup_.step_runner.start_profile();
  }

  ExitStatus run() {
    step::compare_across_ranks(world_, launch_.hooks, "data", hash(setup_.dataset.digest()), kSameData);
    const std::string from = find_resume_point(world_, launch_, directory_, listener());
    start(from);
    StartReport report = start_report(from);
    if (launch_.dry_run)
      report.plan = plan_report(options_, world_, setup_.network, setup_.step_runner, setup_.source,
                                test_ ? &*test_ : nullptr);
    if (world_.is_root()) {
      listener().on_start(report);
      for (const std::string& warning : start_warnings(options_, setup_.dataset, report.placements))
        listener().on_warning(warning);
    }
    if (launch_.dry_run) return ExitStatus::kDone;

    const bool is_fresh = from.empty();
    io::agreed_at_root(world_, [&] {
      directory_.claim();
      directory_.write_config(config::effective_ini(options_));
      directory_.cut_metrics(is_fresh ? -1 : progress_.step);
      metrics_.append(start_line(report, options_, world_.size(), setup_.step_runner.engine().threads()));
    });
    if (!is_fresh) writer_.resumed_from(from);
    setup_.step_runner.start_watchdog();
    begin_to_read();
    try {
      if (is_fresh && options_.checkpoint_at_start) save(CheckpointWriter::Wait::kNo);
      const ExitStatus status = loop();
      finish(status);
      return status;
    } catch (const Error& error) {
      tell_failure(error);
      throw Error(error.status(), fmt::format("{} [step {}]", error.what(), step_under_way_));
    }
  }

 private:
  Observer& listener() { return launch_.observer != nullptr ? *launch_.observer : silent_; }

  void start(const std::string& from) {
    // The ranks of a node may share these buffers.
    setup_.network.initialise(options_.seed, setup_.step_runner.state().parameters,
                              setup_.step_runner.state().statistics);
    world_.barrier();
    if (from.empty()) {
      if (launch_.resume_anyway && world_.is_root())
        listener().on_warning(options_.dir +
                              " holds no checkpoint, so --resume-anyway has nothing to do and the run "
                              "starts afresh; --resume FILE goes on from a checkpoint of another run");
      return;
    }
    io::agreed(world_, [&] {
      const model::CheckpointHeader header = model::read_checkpoint_header(from);
      resumed_anyway_ =
          require_same_run(header, from, options_, setup_.dataset.digest(), launch_.resume_anyway);
      if (world_.is_root() && !resumed_anyway_.empty())
        begin_branch(directory_, from, header.progress.step, resumed_anyway_, listener());
      if (world_.is_root() && header.isa != kernels::to_string(setup_.isa))
        listener().on_warning(
            fmt::format("{} was trained with instruction set {}, this run uses {}: bits may differ from an "
                        "uninterrupted run",
                        from, header.isa, kernels::to_string(setup_.isa)));
      progress_ = header.progress;
      require_position(progress_, from, setup_.steps_per_epoch);
      model::read_checkpoint_state(from, setup_.network, setup_.step_runner.state());
    });
  }

  /// Starts reading if the training split is streamed.
  void begin_to_read() {
    if (!setup_.source.split->is_streamed()) return;
    stream_ =
        step::feed_training(options_, world_, *setup_.source.split, io_thread_,
                            {.first = progress_.step,
                             .end = total_steps_,
                             .per_epoch = setup_.steps_per_epoch,
                             .is_verified = [this](std::int64_t step) { return verify_is_due(step + 1); }});
  }

  StartReport start_report(const std::string& from) {
    return {.isa = std::string(kernels::to_string(setup_.isa)),
            .mpi = comm::Environment::library_version(),
            .hdf5 = io::hdf5_version(),
            .placements = machine::gather_placements(world_, setup_.step_runner.engine().threads()),
            .network = setup_.network.summary(),
            .plan = {},
            .data = describe_data(options_.data.file, setup_.dataset),
            .output = options_.dir,
            .steps_per_epoch = setup_.steps_per_epoch,
            .total_steps = total_steps_,
            .leaves = setup_.step_runner.leaves(),
            .partial_sums = setup_.step_runner.partial_sums(),
            .micro_batch_for_one_sum = launch_.dry_run ? setup_.step_runner.micro_batch_for_one_sum() : 0,
            .idle_share = step::idle_share(setup_.step_runner.leaves(), world_.size(),
                                           setup_.step_runner.engine().threads()),
            .shares_memory = setup_.step_runner.shares_memory(),
            .resumed_from = from,
            .step = progress_.step};
  }

  ExitStatus loop() {
    pace_.restart();
    while (progress_.step < total_steps_) {
      step_under_way_ = progress_.step + 1;
      if (launch_.step != nullptr) launch_.step->store(step_under_way_);
      const std::int64_t epoch = progress_.step / setup_.steps_per_epoch;
      if (setup_.order.begin_epoch(epoch)) {
        epoch_pace_.restart();
        epoch_waited_ = seconds_waited();
      }
      const double loss = step();
      const bool epoch_ends = progress_.step % setup_.steps_per_epoch == 0;
      tell_step(epoch, loss, epoch_ends);
      writer_.tell();
      if (verify_is_due(progress_.step)) setup_.step_runner.verify();
      if (epoch_ends) end_epoch(epoch);
      const Request request = agree_on_request(epoch_ends);
      const bool is_last = progress_.step == total_steps_;
      const bool ends = is_last || request == Request::kLeave;
      if (ends || request != Request::kNothing || checkpoint_is_due(epoch_ends))
        save(ends ? CheckpointWriter::Wait::kYes : CheckpointWriter::Wait::kNo);
      if (ends && !is_last) return ExitStatus::kStoppedEarly;
    }
    return ExitStatus::kDone;
  }

  /// One update; returns the step's mean loss.
  double step() {
    step::StepInput input = setup_.input_after(progress_.step, stream_.get());
    rate_ = input.learning_rate;
    input.verify_follows = verify_is_due(progress_.step + 1);
    input.request = [this] { return static_cast<int>(requests_.own()); };
    const step::MicroBatchResult sum = setup_.step_runner.step(input);
    const auto samples = static_cast<std::int64_t>(input.batch.size());
    progress_.add_step(samples, sum);
    if (launch_.hooks.corrupt) {
      setup_.step_runner.settle();
      launch_.hooks.corrupt("parameters", world_.rank(), progress_.step,
                            std::as_writable_bytes(setup_.step_runner.state().parameters));
    }
    for (Pace* pace : {&pace_, &epoch_pace_}) pace->add(samples);
    return sum.loss_sum / static_cast<double>(samples);
  }

  [[nodiscard]] Score epoch_score() const {
    return score_of(progress_.epoch_loss_sum / static_cast<double>(progress_.epoch_samples),
                    progress_.epoch_correct, progress_.epoch_samples, setup_.source.split->target_size());
  }

  void tell_step(std::int64_t epoch, double loss, bool epoch_ends) {
    if (!world_.is_root()) return;
    const bool is_line =
        epoch_ends || progress_.step % options_.log_every == 0 || progress_.step == total_steps_;
    StepReport report{.epoch = epoch + 1,
                      .epochs = options_.epochs,
                      .step = progress_.step,
                      .total_steps = total_steps_,
                      .loss = loss,
                      .epoch_score = epoch_score(),
                      .rate = rate_,
                      .images_per_second = pace_.images_per_second(),
                      .is_line = is_line};
    report.data_wait = wait_share(line_waited_, pace_);
    report.seconds_left =
        report.images_per_second > 0
            ? static_cast<double>((total_steps_ - progress_.step) * options_.batch) / report.images_per_second
            : 0;
    if (is_line) {
      metrics_.append(step_line(report));
      pace_.restart();
      line_waited_ = seconds_waited();
    }
    listener().on_step(report);
  }

  void end_epoch(std::int64_t epoch) {
    const auto samples = static_cast<double>(progress_.epoch_samples);
    pause();
    setup_.step_runner.settle();
    setup_.step_runner.enter(step::Phase::kEvaluation, step_under_way_);
    EpochReport report{.epoch = epoch + 1,
                       .step = progress_.step,
                       .train_loss = progress_.epoch_loss_sum / samples,
                       .train_score = epoch_score(),
                       .has_test = test_.has_value(),
                       .seconds = epoch_pace_.seconds(),
                       .images_per_second = epoch_pace_.images_per_second(),
                       .data_wait = wait_share(epoch_waited_, epoch_pace_)};
    if (test_) {
      const Evaluation result =
          evaluate(setup_.step_runner.engine(), world_, *test_, setup_.step_runner.state(), &io_thread_);
      report.test_loss = result.loss;
      report.test_score = score_of(result.loss, result.correct, result.samples, test_->split->target_size());
    }
    progress_.end_epoch(epoch);
    if (world_.is_root()) {
      metrics_.append(epoch_line(report));
      listener().on_epoch(report);
    }
    resume();
  }

  /// Seconds that steps of this rank waited for images since the start.
  [[nodiscard]] double seconds_waited() const { return stream_ ? stream_->seconds_waited() : 0; }
  /// Share of `pace`'s time that steps waited for images; `before`: seconds_waited() at its start.
  [[nodiscard]] double wait_share(double before, const Pace& pace) const {
    const double passed = pace.seconds();
    return passed > 0 ? std::min((seconds_waited() - before) / passed, 1.0) : 0;
  }

  /// Evaluation and checkpoints do not count in the pace.
  void pause() {
    for (Pace* pace : {&pace_, &epoch_pace_}) pace->pause();
  }
  void resume() {
    for (Pace* pace : {&pace_, &epoch_pace_}) pace->resume();
  }

  /// The strongest request of any rank: from the step's end; at an epoch's end also from now, because
  /// evaluation may take long.
  Request agree_on_request(bool epoch_ends) {
    const auto in_step = static_cast<Request>(setup_.step_runner.strongest_request());
    if (!epoch_ends) return in_step;
    setup_.step_runner.enter(step::Phase::kAgreement, step_under_way_);
    return std::max(in_step, requests_.agree(world_));
  }

  /// Call after step number `step` (from 1).
  [[nodiscard]] bool verify_is_due(std::int64_t step) const {
    return step % setup_.steps_per_epoch == 0 || step == total_steps_ ||
           (options_.comm.verify_every > 0 && step % options_.comm.verify_every == 0);
  }

  [[nodiscard]] bool checkpoint_is_due(bool epoch_ends) const {
    const bool by_steps =
        options_.checkpoint_every_steps > 0 && progress_.step % options_.checkpoint_every_steps == 0;
    const bool by_epochs = options_.checkpoint_every_epochs > 0 && epoch_ends &&
                           progress_.epoch % options_.checkpoint_every_epochs == 0;
    return by_steps || by_epochs;
  }

  void save(CheckpointWriter::Wait wait) {
    pause();
    setup_.step_runner.enter(step::Phase::kCheckpoint, step_under_way_);
    setup_.step_runner.settle();
    for (const float value : setup_.step_runner.state().parameters) {
      if (!std::isfinite(value))
        throw DivergedError(
            "training diverged (a parameter is not finite); a smaller schedule.lr would be the first thing "
            "to try");
    }
    writer_.save({.isa = std::string(kernels::to_string(setup_.isa)),
                  .seed = options_.seed,
                  .config = config::effective_ini(options_),
                  .progress = progress_,
                  .input = setup_.source.transform,
                  .class_names = setup_.dataset.class_names(),
                  .data_digest = setup_.dataset.digest()},
                 setup_.step_runner.state(), provenance(), wait);
    deadline_.saved_in(writer_.slowest_seconds());
    deadline_.restart();
    resume();
  }

  model::Provenance provenance() {
    if (facts_.empty()) {
      facts_ = gather_provenance(world_, launch_.command_line,
                                 machine::gather_placements(world_, setup_.step_runner.engine().threads()),
                                 setup_.dataset.digest());
      if (!resumed_anyway_.empty()) facts_["resumed_anyway"] = resumed_anyway_;
    }
    facts_["written"] = time_of_writing(world_);
    return facts_;
  }

  /// Logs the end line if all ranks fail with the same error. For other errors, rank 0 may not know that the
  /// run failed.
  void tell_failure(const Error& error) noexcept {
    const bool is_common =
        error.status() == ExitStatus::kDiverged || error.status() == ExitStatus::kDisagreement;
    if (!is_common || !world_.is_root()) return;
    try {
      metrics_.append(end_line(error.status(), progress_.step));
    } catch (const Error&) {  // report only the first error
    }
  }

  /// Collective.
  void finish(ExitStatus status) {
    const ProfileReport profile = gather_profile(world_, setup_.step_runner.profile(), progress_.step);
    if (!world_.is_root()) return;
    if (profile.steps > 0) {
      metrics_.append(profile_line(profile));
      listener().on_profile(profile);
    }
    metrics_.append(end_line(status, progress_.step));
    metrics_.flush();
    listener().on_end(status,
                      status == ExitStatus::kStoppedEarly
                          ? "stopped early, with a checkpoint; the same command with --resume auto goes on"
                          : "done");
  }

  const config::Options& options_;
  comm::Communicator world_;
  const Launch& launch_;
  Observer silent_;
  TrainingSetup setup_;
  std::optional<step::Source> test_;
  std::int64_t total_steps_;
  RunDirectory directory_;
  Deadline deadline_;
  Requests requests_;
  model::Progress progress_;
  MetricsLog metrics_;
  CheckpointWriter writer_;

  double rate_ = 0;
  model::Provenance facts_;
  std::string resumed_anyway_;       // differences from the run that wrote the checkpoint
  std::int64_t step_under_way_ = 0;  // for messages
  Pace pace_;                        // since the last step line
  Pace epoch_pace_;
  double line_waited_ = 0;   // seconds_waited() at the start of that time
  double epoch_waited_ = 0;  // seconds_waited() at the epoch's start
  // Declared last, so destroyed first: its tasks use the members above.
  io::IoThread io_thread_;
  std::unique_ptr<data::Stream> stream_;  // of a streamed training split
};

}  // namespace

ExitStatus train(const config::Options& options, const comm::Communicator& world, const Launch& launch) {
  step::compare_across_ranks(world, launch.hooks, "build", step::build_digest(), step::kSameBuild);
  step::compare_across_ranks(world, launch.hooks, "configuration", hash(config::effective_ini(options)),
                             kSameConfiguration);
  step::BatchPlan(options).require_work_for(world.size());
  // by_node() makes ranks of a node adjacent: their leaves are adjacent and add up to few partial sums.
  return Trainer(options, world.by_node(), launch).run();
}

}  // namespace convoy::train
