#include "dataset_command.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <iostream>

#include "convoy/io/collective.hpp"
#include "convoy/launch/launcher.hpp"
#include "convoy/launch/progress_line.hpp"
#include "convoy/launch/ranks.hpp"
#include "convoy/launch/terminal.hpp"

namespace convoy::apps {
namespace {

/// 0, or the status to stop with.
std::atomic<int> stop{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler writes it");

extern "C" void on_stop_signal(int signal) {
  const auto status = static_cast<int>(signal == SIGINT ? ExitStatus::kInterrupted : ExitStatus::kTerminated);
  // A second Ctrl-C means stop at once; the next import removes the remaining temporary files.
  if (stop.exchange(status) == status && signal == SIGINT) _exit(status);
}

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // do not interrupt system calls of Convoy or MPI
  for (const int signal : {SIGINT, SIGTERM, SIGUSR2}) sigaction(signal, &action, nullptr);
  // mpirun forwards SIGUSR2, the stop request of `train`. Here it only stops, without a checkpoint.
  std::signal(SIGUSR1, SIG_IGN);
  struct sigaction at_hangup {};
  sigaction(SIGHUP, nullptr, &at_hangup);
  if (at_hangup.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);  // otherwise nohup set SIG_IGN
}

class Printer final : public importers::Observer {
 public:
  explicit Printer(std::string_view command) : command_(command) {}
  ~Printer() override { line_.clear(); }
  Printer(const Printer&) = delete;
  Printer& operator=(const Printer&) = delete;

  void on_progress(std::string_view what, std::int64_t done, std::int64_t total) override {
    line_.show(what, done, total, std::chrono::steady_clock::now());
  }
  void on_reading(std::string_view what, std::int64_t done, std::int64_t total) override {
    constexpr std::int64_t kMegabyte = 1'000'000;
    line_.show(what, done / kMegabyte, total / kMegabyte, std::chrono::steady_clock::now(), "MB");
  }
  void on_warning(const std::string& text) override {
    line_.clear();
    std::cout.flush();
    std::cerr << fmt::format("convoy {}: warning: {}\n", command_, text) << std::flush;
  }
  [[nodiscard]] std::optional<ExitStatus> stop_status() const override {
    const int status = stop.load(std::memory_order_relaxed);
    return status == 0 ? std::nullopt : std::optional(static_cast<ExitStatus>(status));
  }
  void say(const std::string& text) {
    line_.clear();
    std::cout << text << '\n';
  }

 private:
  std::string_view command_;
  launch::ProgressLine line_{std::cout, launch::standard_output_is_terminal()};
};

}  // namespace

ExitStatus make_dataset(std::string_view command,
                        const std::function<void(const comm::Communicator& world,
                                                 importers::Observer& observer, const Say& say)>& make) {
  const auto body = [&](const comm::Communicator& world) {
    install_signal_handlers();
    Printer printer(command);
    make(world, printer, [&](const std::string& text) {
      if (world.is_root()) printer.say(text);
    });
    return ExitStatus::kDone;
  };
  if (launch::launched_processes() > 1) return launch::run_with_ranks(command, body);
  return body(comm::Communicator::self());
}

ExitStatus make_dataset_alone(
    std::string_view command,
    const std::function<void(importers::Observer& observer, const Say& say)>& make) {
  return make_dataset(command,
                      [&](const comm::Communicator& world, importers::Observer& observer, const Say& say) {
                        io::agreed_at_root(world, [&] { make(observer, say); });
                      });
}

}  // namespace convoy::apps
