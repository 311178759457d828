#include "convoy/launch/progress_line.hpp"

#include <fmt/core.h>

#include <cmath>
#include <ostream>

#include "convoy/core/text.hpp"

namespace convoy::launch {

void ProgressLine::show(std::string_view what, std::int64_t done, std::int64_t total, Time now,
                        std::string_view things) {
  constexpr std::chrono::milliseconds kBetweenDrawings{100};
  constexpr std::chrono::seconds kBetweenLines{5};
  constexpr std::chrono::seconds kBeforeFirstLine{1};
  if (shown_ == Time{}) shown_ = is_terminal_ ? now : now + kBeforeFirstLine - kBetweenLines;
  if (what != what_) {
    what_ = what;
    began_ = now;
    began_with_ = done;
  }
  if (now - shown_ < (is_terminal_ ? kBetweenDrawings : kBetweenLines)) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - began_).count();
  const double rate = seconds > 0 ? static_cast<double>(done - began_with_) / seconds : 0;
  std::string line = fmt::format("{}: {} of {} {}", what_, grouped(done), grouped(total), things);
  if (rate > 0) {
    const auto left = std::llround(static_cast<double>(total - done) / rate);
    line += fmt::format(", {} a second, {}:{:02} left", grouped(std::llround(rate)), left / 60, left % 60);
  }
  if (is_terminal_)
    out_ << '\r' << line << "\033[K" << std::flush;
  else
    out_ << line << std::endl;
  is_drawn_ = is_terminal_;
}

void ProgressLine::clear() {
  if (is_drawn_) out_ << "\r\033[K" << std::flush;
  is_drawn_ = false;
}

}  // namespace convoy::launch
