#pragma once
// Common code of the commands that make a data set file (import, synth): progress on a terminal or in a log,
// and a clean stop at a signal.

#include <chrono>
#include <functional>
#include <iosfwd>
#include <ostream>
#include <string>
#include <string_view>

#include "convoy/comm/communicator.hpp"
#include "convoy/importers/observer.hpp"

namespace convoy::apps {

/// Prints progress: on a terminal in a redrawn line, otherwise in a new line after a second and then every
/// few. Prints nothing if the work ends before the first line is due.
class ProgressLine {
 public:
  using Time = std::chrono::steady_clock::time_point;

  ProgressLine(std::ostream& out, bool is_terminal) : out_(out), is_terminal_(is_terminal) {}
  /// Reports that task `what` has completed `done` of `total` `things` at time `now`. Rates count from the
  /// first call with this `what`.
  void show(std::string_view what, std::int64_t done, std::int64_t total, Time now,
            std::string_view things = "images");
  /// Erases the drawn line, so that other text can follow.
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

/// Prints the final message of a command, on rank 0.
using Say = std::function<void(const std::string&)>;

/// Makes a data set: `make` runs on every rank, with a communicator of all ranks. Without a launcher MPI is
/// not started. After SIGINT, SIGTERM, SIGHUP or SIGUSR2 the observer requests a stop; a second SIGINT ends
/// the process at once.
[[nodiscard]] ExitStatus make_dataset(
    std::string_view command,
    const std::function<void(const comm::Communicator& world, importers::Observer& observer, const Say& say)>&
        make);

/// The same for one rank: rank 0 runs `make`, the others wait.
[[nodiscard]] ExitStatus make_dataset_alone(
    std::string_view command, const std::function<void(importers::Observer& observer, const Say& say)>& make);

}  // namespace convoy::apps
