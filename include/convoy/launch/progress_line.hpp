#pragma once
// Progress of a task, on a terminal or in a log.

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

namespace convoy::launch {

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

}  // namespace convoy::launch
