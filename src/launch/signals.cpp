#include "convoy/launch/signals.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace convoy::launch {
namespace {

std::atomic<int> request{kNoRequest};
std::atomic<bool> interrupted{false};
std::atomic<std::int64_t> step_under_way{0};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free &&
                  std::atomic<std::int64_t>::is_always_lock_free,
              "signal handlers use them");

extern "C" void on_request(int signal) {
  if (signal == SIGUSR1) {
    int nothing = kNoRequest;
    request.compare_exchange_strong(nothing, kWriteCheckpoint);
    return;
  }
  request.store(kLeave);
  // A second Ctrl-C means stop at once.
  if (signal == SIGINT && interrupted.exchange(true)) _exit(128 + SIGINT);
}

std::array<char, 320> crash_place{};  // " [rank 2 on node7]"

/// Appends `number` to `text`, with async-signal-safe code only.
void append_number(std::array<char, 512>& text, std::size_t& size, std::int64_t number) {
  std::array<char, 24> digits{};
  std::size_t count = 0;
  do digits[count++] = static_cast<char>('0' + number % 10);
  while ((number /= 10) > 0);
  while (count > 0) text[size++] = digits[--count];
}

extern "C" void on_crash(int signal) {
  std::array<char, 512> text{};
  std::size_t size = 0;
  const auto append = [&](const char* part) {
    while (*part != 0 && size + 32 < text.size()) text[size++] = *part++;
  };
  append("convoy train: the program crashed (signal ");
  append_number(text, size, signal);
  append("); this is a fault of Convoy's own or of the machine, please report it [step ");
  append_number(text, size, step_under_way.load());
  append("]");
  append(crash_place.data());
  append("\n");
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), size);
  std::signal(signal, SIG_DFL);  // the launcher sees the signal and ends the other ranks
  std::raise(signal);
}

bool is_ignored(int signal) {
  struct sigaction now {};
  sigaction(signal, nullptr, &now);
  return now.sa_handler == SIG_IGN;
}

}  // namespace

std::atomic<int>& request_by_signal() {
  return request;
}

std::atomic<std::int64_t>& step_for_crashes() {
  return step_under_way;
}

void install_signal_handlers(const comm::Communicator& world) {
  struct sigaction action {};
  action.sa_handler = on_request;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // do not interrupt system calls of Convoy or MPI
  for (const int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGXCPU}) sigaction(signal, &action, nullptr);
  if (!is_ignored(SIGHUP)) sigaction(SIGHUP, &action, nullptr);  // else nohup set it so
  std::signal(SIGPIPE, SIG_IGN);
  const std::string place = fmt::format(" [rank {} on {}]", world.rank(), comm::host_name());
  place.copy(crash_place.data(), crash_place.size() - 1);  // the last character stays 0
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) std::signal(signal, on_crash);
}

}  // namespace convoy::launch
