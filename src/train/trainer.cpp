#include "convoy/train/trainer.hpp"
#include "convoy/samples/names.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "best.hpp"
#include "checkpoint_writer.hpp"
#include "convoy/config/config.hpp"
#include "convoy/core/text.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/train/evaluation.hpp"
#include "convoy/train/fit.hpp"
#include "convoy/train/provenance.hpp"
#include "convoy/train/run_directory.hpp"
#include "convoy/train/same_run.hpp"
#include "convoy/train/step_recorder.hpp"
#include "deadline.hpp"
#include "loading.hpp"
#include "metrics_lines.hpp"
#include "plan_report.hpp"
#include "preflight.hpp"
#include "requests.hpp"
#include "resume.hpp"
#include "run_log.hpp"

namespace convoy::train {
namespace {

constexpr std::string_view kSameConfiguration = "give every rank the same files and options";
constexpr std::string_view kSameData = "let data.file name the same file on every node";

/// One rank's part of a run.
class Trainer {
 public:
  Trainer(const config::Options& options, const comm::Communicator& world, const Launch& launch,
          RunDirectory directory)
      : options_(options),
        world_(world),
        launch_(launch),
        loading_(launch, world),
        dataset_(options.data, world, {"train", data::names::kEvaluated}, &loading_),
        network_(network_for(dataset_, options)),
        recorder_(options.hashes, world, network_),
        hooks_(recorder_.hooks(launch.hooks)),
        fit_(options, world, network_, training_source(dataset_, options.data), launch.isa, hooks_),
        directory_(std::move(directory)),
        deadline_(launch.begun, options.max_seconds,
                  3 * network_.gradient_size() * static_cast<std::int64_t>(sizeof(float))),
        requests_(launch.request, deadline_),
        metrics_(directory_, LineFile::kMetrics, listener()),
        hashes_(directory_, LineFile::kHashes, listener()),
        writer_(options, world, network_, fit_.state(), directory_, io_thread_, listener()) {
    require_evaluation_of_best(options, dataset_.split(data::names::kEvaluated));
    if (const data::Split* split = dataset_.split(data::names::kEvaluated);
        split != nullptr && split->samples() > 0)
      evaluated_ = step::Source{.split = split, .transform = fit_.source().transform};
    if (options.profile) fit_.step_runner().start_profile();
  }

  ExitStatus run() {
    step::compare_across_ranks(world_, launch_.hooks, "data", hash(dataset_.digest()), kSameData);
    const std::string from = find_resume_point(world_, launch_, directory_, listener());
    start(from);
    StartReport report = start_report(from);
    if (launch_.dry_run)
      report.plan = plan_report(options_, world_, network_, fit_.step_runner(), fit_.source(),
                                evaluated_ ? &*evaluated_ : nullptr);
    if (world_.is_root()) {
      listener().on_start(report);
      for (const std::string& warning : start_warnings(options_, dataset_, report.placements))
        listener().on_warning(warning);
    }
    if (launch_.dry_run) return ExitStatus::kDone;

    const bool is_fresh = from.empty();
    io::agreed_at_root(world_, [&] {
      directory_.claim();
      directory_.write_config(config::effective_ini(options_));
      for (const LineFile file : {LineFile::kMetrics, LineFile::kHashes})
        directory_.cut_lines(file, is_fresh ? -1 : progress().step);
      metrics_.append(start_line(report, options_, world_.size(), fit_.step_runner().engine().threads()));
      if (options_.hashes != model::Hashed::kNone)
        hashes_.append(
            model::parts_line(progress().step, model::hashed_parts(options_.hashes, network_, fit_.state())));
    });
    if (!is_fresh) writer_.resumed_from(from);
    fit_.step_runner().start_watchdog();
    stream_ = fit_.feed(io_thread_, fit_.total_steps());
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
    network_.initialise(options_.seed, fit_.state().parameters, fit_.state().statistics);
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
      resumed_anyway_ = require_same_run(header, from, options_, dataset_.digest(), launch_.resume_anyway);
      if (world_.is_root() && !resumed_anyway_.empty())
        begin_branch(directory_, from, header.progress.step, resumed_anyway_, listener());
      if (world_.is_root() && !kernels::same_bits(header.isa, fit_.isa()))
        listener().on_warning(
            fmt::format("{} was trained with instruction set {}, this run uses {}, which rounds in another "
                        "way: bits will differ from an uninterrupted run",
                        from, header.isa, kernels::to_string(fit_.isa())));
      require_position(header.progress, from, fit_.steps_per_epoch());
      fit_.go_on_from(header.progress);
      model::read_checkpoint_state(from, network_, fit_.state());
    });
  }

  StartReport start_report(const std::string& from) {
    return {.isa = std::string(kernels::to_string(fit_.isa())),
            .mpi = comm::Environment::library_version(),
            .hdf5 = io::hdf5_version(),
            .placements = machine::gather_placements(world_, fit_.step_runner().engine().threads()),
            .network = network_.summary(),
            .plan = {},
            .data = describe_data(options_.data.file, dataset_),
            .output = options_.dir,
            .rate = optim::describe_scaling(options_.schedule, options_.batch),
            .steps_per_epoch = fit_.steps_per_epoch(),
            .total_steps = fit_.total_steps(),
            .leaves = fit_.step_runner().leaves(),
            .partial_sums = fit_.step_runner().partial_sums(),
            .micro_batch_for_one_sum = launch_.dry_run ? fit_.step_runner().micro_batch_for_one_sum() : 0,
            .idle_share = step::idle_share(fit_.step_runner().leaves(), world_.size(),
                                           fit_.step_runner().engine().threads()),
            .shares_memory = fit_.step_runner().shares_memory(),
            .resumed_from = from,
            .step = progress().step};
  }

  ExitStatus loop() {
    pace_.restart();
    while (!is_complete()) {
      step_under_way_ = progress().step + 1;
      if (launch_.step != nullptr) launch_.step->store(step_under_way_);
      if (fit_.begin_epoch()) {
        epoch_pace_.restart();
        epoch_waited_ = seconds_waited();
      }
      const Fit::Update update =
          fit_.step(stream_.get(), [this] { return static_cast<int>(requests_.own()); });
      for (Pace* pace : {&pace_, &epoch_pace_}) pace->add(update.samples);
      if (options_.hashes != model::Hashed::kNone) record_step();
      tell_step(update);
      writer_.tell();
      if (fit_.verify_is_due(progress().step)) fit_.step_runner().verify();
      if (update.ends_epoch) end_epoch(update.epoch);
      const Request request = agree_on_request(update.ends_epoch);
      const bool is_last = is_complete();
      const bool ends = is_last || request == Request::kLeave;
      if (ends || request != Request::kNothing || checkpoint_is_due(options_, progress(), update.ends_epoch))
        save(ends ? CheckpointWriter::Wait::kYes : CheckpointWriter::Wait::kNo);
      if (ends && !is_last) return ExitStatus::kStoppedEarly;
    }
    return ExitStatus::kDone;
  }

  [[nodiscard]] bool is_complete() const {
    return fit_.is_complete() || is_out_of_patience(options_, progress());
  }

  /// Collective.
  void record_step() {
    fit_.step_runner().settle();
    const std::vector<std::uint64_t> hashes =
        recorder_.finish(fit_.state(), fit_.step_runner().engine().threads());
    if (world_.is_root()) hashes_.append(model::hashes_line(progress().step, hashes));
  }

  [[nodiscard]] const model::Progress& progress() const { return fit_.progress(); }

  [[nodiscard]] Score epoch_score() const {
    return score_of(progress().epoch_squared_error_sum / static_cast<double>(progress().epoch_samples),
                    progress().epoch_correct, progress().epoch_samples, fit_.source().split->target_size());
  }

  void tell_step(const Fit::Update& update) {
    if (!world_.is_root()) return;
    const bool is_line = update.ends_epoch || progress().step % options_.log_every == 0 ||
                         progress().step == fit_.total_steps();
    StepReport report{.epoch = update.epoch + 1,
                      .epochs = options_.epochs,
                      .step = progress().step,
                      .total_steps = fit_.total_steps(),
                      .loss = update.loss,
                      .epoch_score = epoch_score(),
                      .rate = update.learning_rate,
                      .images_per_second = pace_.images_per_second(),
                      .is_line = is_line};
    report.data_wait = wait_share(line_waited_, pace_);
    report.seconds_left = report.images_per_second > 0
                              ? static_cast<double>((fit_.total_steps() - progress().step) * options_.batch) /
                                    report.images_per_second
                              : 0;
    if (is_line) {
      metrics_.append(step_line(report));
      pace_.restart();
      line_waited_ = seconds_waited();
    }
    listener().on_step(report);
  }

  void end_epoch(std::int64_t epoch) {
    const auto samples = static_cast<double>(progress().epoch_samples);
    pause();
    fit_.step_runner().settle();
    fit_.step_runner().enter(step::Phase::kEvaluation, step_under_way_);
    EpochReport report{.epoch = epoch + 1,
                       .step = progress().step,
                       .train_loss = progress().epoch_loss_sum / samples,
                       .train_score = epoch_score(),
                       .evaluated = evaluated_ ? evaluated_->split->name() : "",
                       .seconds = epoch_pace_.seconds(),
                       .images_per_second = epoch_pace_.images_per_second(),
                       .data_wait = wait_share(epoch_waited_, epoch_pace_)};
    std::optional<Evaluation> result;
    if (evaluated_) {
      result = evaluate(fit_.step_runner().engine(), world_, *evaluated_, fit_.state(), &io_thread_);
      report.loss = result->loss;
      report.score =
          score_of(result->squared_error, result->correct, result->samples, evaluated_->split->target_size());
    }
    const std::int64_t reductions = progress().plateau.reductions;
    if (result) report.is_best = fit_.note_best(*result);
    fit_.end_epoch(result);
    if (progress().plateau.reductions > reductions) report.reduced_rate = fit_.rate();
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
    const auto in_step = static_cast<Request>(fit_.step_runner().strongest_request());
    if (!epoch_ends) return in_step;
    fit_.step_runner().enter(step::Phase::kAgreement, step_under_way_);
    return std::max(in_step, requests_.agree(world_));
  }

  void save(CheckpointWriter::Wait wait) {
    pause();
    fit_.step_runner().enter(step::Phase::kCheckpoint, step_under_way_);
    fit_.step_runner().settle();
    writer_.save({.isa = std::string(kernels::to_string(fit_.isa())),
                  .seed = options_.seed,
                  .config = config::effective_ini(options_),
                  .progress = progress(),
                  .input = fit_.source().transform,
                  .class_names = dataset_.class_names(),
                  .label_values = dataset_.label_values(),
                  .data_digest = dataset_.digest()},
                 fit_.state(), provenance(), wait);
    deadline_.saved_in(writer_.slowest_seconds());
    deadline_.restart();
    resume();
  }

  model::Provenance provenance() {
    if (facts_.empty()) {
      facts_ = gather_provenance(world_, launch_.command_line,
                                 machine::gather_placements(world_, fit_.step_runner().engine().threads()),
                                 dataset_.digest());
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
      metrics_.append(end_line(error.status(), progress().step));
    } catch (const Error&) {  // report only the first error
    }
  }

  /// Collective.
  void finish(ExitStatus status) {
    const ProfileReport profile = gather_profile(world_, fit_.step_runner().profile(), progress().step);
    if (!world_.is_root()) return;
    if (profile.steps > 0) {
      metrics_.append(profile_line(profile));
      listener().on_profile(profile);
    }
    metrics_.append(end_line(status, progress().step));
    metrics_.flush();
    hashes_.flush();
    listener().on_end(status,
                      status == ExitStatus::kStoppedEarly
                          ? "stopped early, with a checkpoint; the same command with --resume auto goes on"
                      : fit_.is_complete()
                          ? "done"
                          : fmt::format("done: {} brought nothing better than epoch {} (train.patience)",
                                        counted(options_.patience, "epoch"), progress().best.epoch));
  }

  const config::Options& options_;
  comm::Communicator world_;
  const Launch& launch_;
  Observer silent_;
  Loading loading_;
  data::Dataset dataset_;
  nn::Network network_;
  StepRecorder recorder_;
  step::Hooks hooks_;
  Fit fit_;
  std::optional<step::Source> evaluated_;  // the validation split, else the test split
  RunDirectory directory_;
  Deadline deadline_;
  Requests requests_;
  RunLog metrics_;
  RunLog hashes_;
  CheckpointWriter writer_;

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
  RunDirectory directory(options.dir, launch.take_over);
  // Before data are read, which may take long.
  io::agreed_at_root(world, [&] {
    if (!launch.dry_run) directory.require_free();
  });
  // by_node() makes ranks of a node adjacent: their leaves are adjacent and add up to few partial sums.
  return Trainer(options, world.by_node(), launch, std::move(directory)).run();
}

}  // namespace convoy::train
