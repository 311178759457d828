#pragma once
// What the commands that make a data set file (import, synth) share: how far they are, on a terminal or in a
// log, and how a signal stops them without a broken file.

#include <chrono>
#include <functional>
#include <iosfwd>
#include <ostream>
#include <string>
#include <string_view>

#include "convoy/comm/communicator.hpp"
#include "convoy/importers/observer.hpp"

namespace convoy::apps {

/// Tells how far something is: on a terminal a line that is redrawn, elsewhere a line every few seconds, none
/// where it is over before that.
class ProgressLine {
 public:
  using Time = std::chrono::steady_clock::time_point;

  ProgressLine(std::ostream& out, bool is_terminal) : out_(out), is_terminal_(is_terminal) {}
  /// `what` of which `done` of `total` `things` are done by `now`. Rates count from the first call with
  /// another `what`.
  void show(std::string_view what, std::int64_t done, std::int64_t total, Time now,
            std::string_view things = "images");
  /// Takes the drawn line away, so that other text may follow.
  void clear();

 private:
  std::ostream& out_;
  bool is_terminal_;
  bool is_drawn_ = false;
  std::string what_;
  Time began_{};
  std::int64_t began_with_ = 0;
  Time shown_{};
};

/// Prints a command's last words, on rank 0.
using Say = std::function<void(const std::string&)>;

/// Makes a data set: `make` runs on every rank there is, with a communicator of all of them. Without a
/// launcher no MPI is started. SIGINT, SIGTERM, SIGHUP and SIGUSR2 ask its observer to stop; a second SIGINT
/// ends the process at once.
[[nodiscard]] ExitStatus make_dataset(
    std::string_view command,
    const std::function<void(const comm::Communicator& world, importers::Observer& observer, const Say& say)>&
        make);

/// The same with `make` for one rank: rank 0 runs it, the others wait.
[[nodiscard]] ExitStatus make_dataset_alone(
    std::string_view command, const std::function<void(importers::Observer& observer, const Say& say)>& make);

}  // namespace convoy::apps
