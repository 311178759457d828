#include "convoy/hdf5/child_process.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <new>

#include "call.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/descriptor.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::io {
namespace {

constexpr std::int64_t kLargestChunk = std::int64_t{4} << 30;
constexpr std::int64_t kMemoryPerByte = 8;
// Elapsed time per CPU time: the machine may be busy, the disk slow.
constexpr std::int64_t kClockPerProcessor = 4;

// Exit statuses of the child.
constexpr int kLived = 0;
constexpr int kOutOfMemory = 83;  // not used by any sanitizer

std::int64_t address_space() {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * ::sysconf(_SC_PAGESIZE);
}

void limit(int resource, std::int64_t most) {
  rlimit now{};
  ::getrlimit(static_cast<__rlimit_resource_t>(resource), &now);
  now.rlim_cur = std::min(now.rlim_max, static_cast<rlim_t>(most));
  ::setrlimit(static_cast<__rlimit_resource_t>(resource), &now);
}

// Reset signal handlers, ignore the launcher's signals, and disable core dumps: the child may crash.
void forget_parent(pid_t parent) {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2}) ::signal(number, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kLived);
}

[[noreturn]] void run_child(pid_t parent, int nowhere, const ChildLimits& limits,
                            const std::function<void()>& reading) {
  forget_parent(parent);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, standard);
  limit(RLIMIT_CPU, limits.seconds);
  limit(RLIMIT_AS, limits.bytes);
  ::alarm(static_cast<unsigned>(kClockPerProcessor * limits.seconds));
  // Use _exit: the child must not run the parent's exit handlers or flush its output.
  try {
    reading();
  } catch (const OutOfMemory&) {
    ::_exit(kOutOfMemory);
  } catch (const std::bad_alloc&) {
    ::_exit(kOutOfMemory);
  } catch (...) {
  }
  ::_exit(kLived);
}

// Waiting for a child requires that SIGCHLD is not ignored; the launcher may have set it so. A handler of the
// program stays.
class WaitingForChildren {
 public:
  WaitingForChildren() {
    ::sigaction(SIGCHLD, nullptr, &before_);
    is_ignored_ = before_.sa_handler == SIG_IGN || (before_.sa_flags & SA_NOCLDWAIT) != 0;
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    if (is_ignored_) ::sigaction(SIGCHLD, &standard, nullptr);
  }
  ~WaitingForChildren() {
    if (is_ignored_) ::sigaction(SIGCHLD, &before_, nullptr);
  }
  WaitingForChildren(const WaitingForChildren&) = delete;
  WaitingForChildren& operator=(const WaitingForChildren&) = delete;

 private:
  struct sigaction before_ {};
  bool is_ignored_ = false;
};

// Tells the parent of a child's end by its end of a pipe.
class Pipe {
 public:
  explicit Pipe(const std::string& path) {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw_errno("start a process that reads", path, errno);
  }
  ~Pipe() {
    close_writing_end();
    ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void close_writing_end() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  // Waits a tenth of a second for the last holder of the writing end to end.
  [[nodiscard]] bool is_over() const {
    constexpr int kMilliseconds = 100;
    pollfd end{.fd = ends_[0], .events = POLLIN, .revents = 0};
    return ::poll(&end, 1, kMilliseconds) > 0;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

int wait_for(pid_t child, const std::string& path) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw_errno("wait for the process that reads", path, errno);
  }
  return status;
}

// "died of signal 11, Segmentation fault"; empty if the child survived.
std::string cause_of_death(int status, const ChildLimits& limits) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == kLived) return {};
  if (WIFEXITED(status) && WEXITSTATUS(status) == kOutOfMemory)
    return "wanted over " + in_bytes(limits.bytes) + " of memory";
  if (WIFEXITED(status)) return "ended with status " + std::to_string(WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  if (number == SIGXCPU || number == SIGALRM)
    return "was not done after " +
           counted(limits.seconds * (number == SIGALRM ? kClockPerProcessor : 1), "second");
  return fmt::format("died of signal {}, {}", number, ::strsignal(number));
}

}  // namespace

void run_in_child(const std::string& path, const std::function<void()>& reading, const ChildLimits& limits,
                  const std::function<void()>& meanwhile) {
  // Initialise HDF5 before the fork: its start-up touches MPI, which a forked child must not do.
  start_hdf5();
  ChildLimits scaled = limits;
  scaled.bytes += kMemoryPerByte * std::min(file_size(path), kLargestChunk);
  ChildLimits absolute = scaled;
  absolute.bytes += address_space();
  const Descriptor nowhere("/dev/null", O_RDWR, "open");
  const WaitingForChildren waiting;
  Pipe life(path);  // the child holds its end open while it lives
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw_errno("start a process that reads", path, errno);
  if (child == 0) run_child(parent, nowhere.get(), absolute, reading);
  life.close_writing_end();
  try {
    while (meanwhile && !life.is_over()) meanwhile();
  } catch (...) {
    ::kill(child, SIGKILL);
    static_cast<void>(wait_for(child, path));
    throw;
  }
  const std::string cause = cause_of_death(wait_for(child, path), scaled);
  if (cause.empty()) return;
  throw DataError(
      fmt::format("cannot read {} (a process that read it first {}); it is damaged, or beyond what libhdf5 "
                  "{} can read: copy it again, or rewrite it with h5repack",
                  path, cause, hdf5_version()));
}

}  // namespace convoy::io
