// convoy train: runs a training from its configuration to its last checkpoint.

#include "convoy/config/config.hpp"
#include "convoy/core/text.hpp"
#include "convoy/core/version.hpp"
#include "convoy/kernels/isa.hpp"
#include "convoy/launch/launcher.hpp"
#include "convoy/launch/progress_line.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/launch/signals.hpp"
#include "convoy/launch/terminal.hpp"
#include "convoy/measure/shares.hpp"
#include "convoy/train/trainer.hpp"

#include <fmt/core.h>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <iostream>
#include <streambuf>

#include "command.hpp"
#include "convoy/command_line/command_line.hpp"
#include "train.hpp"

namespace convoy::apps {
namespace {

static_assert(launch::kWriteCheckpoint == static_cast<int>(train::Request::kCheckpoint) &&
              launch::kLeave == static_cast<int>(train::Request::kLeave));

/// 3725 as "1:02:05".
std::string clock_time(double seconds) {
  const auto whole = std::lround(seconds);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

/// Lines about the cost of an uneven division of the batch; empty if there is none.
std::string advice(const train::StartReport& report) {
  std::string text;
  if (report.idle_share > 0.005) {
    text += fmt::format(
        "Uneven: {:.0f} % of the threads' time is lost waiting, since {} do not divide evenly over all ranks "
        "and threads; another train.batch, train.micro-batch or number of ranks would\n",
        100 * report.idle_share, counted(report.leaves, "micro-batch"));
  }
  if (report.partial_sums.most > 1 && report.micro_batch_for_one_sum > 0)
    text += fmt::format(
        "train.micro-batch = {} would make that 1.00 partial sums: fewer bytes on the wire, but other bits\n",
        report.micro_batch_for_one_sum);
  return text;
}

std::string in_words(const train::Score& score) {
  return score.is_error ? fmt::format("rms error {:.4g}", score.value)
                        : fmt::format("accuracy {:.2f} %", 100 * score.value);
}

/// Empty if steps hardly waited for images.
std::string waiting(double share) {
  return share < 0.005 ? std::string() : fmt::format("  ({:.0f} % of it waiting for images)", 100 * share);
}

class NowhereBuffer final : public std::streambuf {
 protected:
  int_type overflow(int_type ch) override { return traits_type::not_eof(ch); }
  std::streamsize xsputn(const char*, std::streamsize size) override { return size; }
};

/// Prints the progress of a run: on a terminal in a redrawn line, otherwise in plain lines.
class Printer final : public train::Observer {
 public:
  void on_start(const train::StartReport& report) override {
    loading_.clear();
    std::cout << "Convoy " << version() << ", kernels " << report.isa << ", " << report.mpi << ", HDF5 "
              << report.hdf5 << '\n'
              << counted(static_cast<std::int64_t>(report.placements.size()), "rank") << ":\n"
              << machine::describe_placements(report.placements) << "Data: " << report.data << "\nNetwork:\n"
              << report.network << report.plan << "Steps: " << grouped(report.total_steps) << " in all, "
              << grouped(report.steps_per_epoch) << " an epoch, " << counted(report.leaves, "micro-batch")
              << " a step, " << measure::describe(report.partial_sums, report.shares_memory) << '\n'
              << advice(report) << (report.rate.empty() ? "" : "Learning rate: " + report.rate + '\n')
              << "Output: " << report.output << '\n';
    if (!report.resumed_from.empty())
      std::cout << "Going on from " << report.resumed_from << " (step " << grouped(report.step) << ")\n";
    std::cout.flush();
    tell_if_nobody_reads();
  }

  void on_loading(const train::LoadingReport& report) override {
    constexpr std::int64_t kMegabyte = 1'000'000;
    loading_.show(report.what, report.done / kMegabyte, report.total / kMegabyte,
                  std::chrono::steady_clock::now(), "MB");
  }

  void on_step(const train::StepReport& report) override {
    const auto now = std::chrono::steady_clock::now();
    if (is_terminal_ ? now - drawn_ < std::chrono::milliseconds(100) && !report.is_line : !report.is_line)
      return;
    drawn_ = now;
    std::string line =
        fmt::format("epoch {}/{}  step {}/{}  loss {:.4f}  {}  {:.0f} images/s  {} left", report.epoch,
                    report.epochs, report.step, report.total_steps, report.loss, in_words(report.epoch_score),
                    report.images_per_second, clock_time(report.seconds_left));
    line += waiting(report.data_wait);
    if (is_terminal_) {
      std::cout << '\r' << line << "\033[K" << std::flush;
      is_drawn_ = true;
    } else {
      std::cout << line << std::endl;
    }
    tell_if_nobody_reads();
  }

  void on_epoch(const train::EpochReport& report) override {
    std::string line = fmt::format("epoch {} done: train loss {:.4f}, {}", report.epoch, report.train_loss,
                                   in_words(report.train_score));
    if (!report.evaluated.empty())
      line += fmt::format("; {} loss {:.4f}, {}", report.evaluated, report.loss, in_words(report.score));
    if (report.is_best) line += ", the best so far";
    if (report.reduced_rate > 0)
      line += fmt::format("; no better lately, learning rate now {:.6g}", report.reduced_rate);
    print(fmt::format("{}; {:.1f} s, {:.0f} images/s{}", line, report.seconds, report.images_per_second,
                      waiting(report.data_wait)));
  }

  void on_checkpoint(const train::CheckpointReport& report) override {
    print(fmt::format("checkpoint {} ({:.2f} s, steps waited {:.2f} s)", report.path, report.seconds,
                      report.waited));
  }

  void on_warning(const std::string& text) override {
    end_line();
    std::cout.flush();
    std::cerr << "convoy train: warning: " << text << std::endl;
  }

  void on_profile(const train::ProfileReport& report) override {
    end_line();
    std::cout << "Where the time of " << counted(report.steps, "step") << " went"
              << (report.ranks.size() > 1 ? ", mean of the ranks and largest" : "") << ":\n"
              << measure::describe_shares(report.ranks) << std::flush;
  }

  void on_end(ExitStatus, const std::string& reason) override { print(reason); }

 private:
  void end_line() {
    if (is_drawn_) std::cout << "\r\033[K";
    is_drawn_ = false;
  }
  void print(const std::string& line) {
    end_line();
    std::cout << line << std::endl;
    tell_if_nobody_reads();
  }
  void tell_if_nobody_reads() {
    if (std::cout || errno != EPIPE) return;
    // From here on output is dropped; with the stream's own buffer the program would report a full disk.
    static NowhereBuffer nowhere;
    std::cout.rdbuf(&nowhere);
    std::cerr << "convoy train: warning: nobody reads the standard output any more; training goes on, and "
                 "metrics.jsonl says how far it is"
              << std::endl;
  }

  bool is_terminal_ = launch::standard_output_is_terminal();
  launch::ProgressLine loading_{std::cout, is_terminal_};
  bool is_drawn_ = false;
  std::chrono::steady_clock::time_point drawn_{};
};

}  // namespace

ExitStatus run_train(const Arguments& arguments) {
  return run_train_with_hooks(arguments, {});
}

ExitStatus run_train_with_hooks(const Arguments& arguments, const step::Hooks& hooks) {
  const auto begun = std::chrono::steady_clock::now();
  CommandLine line(
      "train", "[mpirun …] convoy train --config FILE [options]",
      "Trains a network. Any number of ranks and threads gives the same bits.\n"
      "SIGUSR1 writes a checkpoint; SIGTERM, SIGINT, SIGUSR2, SIGHUP and SIGXCPU write one and leave with "
      "status 75.");
  line.add_configuration();
  line.add_value(
      "resume", "never|auto|PATH",
      "never (default): run.dir must hold no checkpoint; auto: go on from its newest sound one, else "
      "start; PATH: go on from that one");
  line.add_flag(
      "resume-anyway",
      "go on from a checkpoint also where optimizer, schedule, seed or data differ from those it was made "
      "with; network and batch must be the same");
  line.add_flag("take-over", "take run.dir over from another run that is alive, which then stops");
  line.add_flag("dry-run", "check everything, show what would run, write nothing");
  line.add_flag("print-config", "print the effective configuration and stop");
  if (!line.parse(arguments)) return ExitStatus::kDone;
  if (line.has("print-config")) {
    const config::Options options = line.configuration();
    if (launch::is_first_of_launcher()) std::cout << config::effective_ini(options);
    return ExitStatus::kDone;
  }

  Printer printer;
  train::Launch launch;
  const std::string resume = line.text("resume").value_or("never");
  launch.resume = resume == "never"  ? train::Resume::kNever
                  : resume == "auto" ? train::Resume::kAuto
                                     : train::Resume::kPath;
  launch.resume_path = resume;
  launch.resume_anyway = line.has("resume-anyway");
  launch.take_over = line.has("take-over");
  launch.dry_run = line.has("dry-run");
  launch.command_line = "convoy train " + join(arguments, " ");
  launch.request = &launch::request_by_signal();
  launch.step = &launch::step_for_crashes();
  launch.begun = begun;
  launch.observer = &printer;
  launch.hooks = hooks;
  return launch::run_with_ranks("train", [&](const comm::Communicator& world) {
    // Read here, where a rank that fails alone can report it.
    const config::Options options = line.configuration();
    launch.isa = kernels::choose_isa();
    launch::install_signal_handlers(world);
    return train::train(options, world, launch);
  });
}

}  // namespace convoy::apps
