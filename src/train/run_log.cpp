#include "run_log.hpp"

#include "convoy/core/error.hpp"

namespace convoy::train {

void RunLog::append(const std::string& json) {
  directory_.require_ownership();
  const bool was_waiting = !waiting_.empty();
  waiting_ += json + '\n';
  try {
    flush();
  } catch (const IoError& error) {
    if (!was_waiting)
      listener_.on_warning(std::string(error.what()) + "; training goes on, the lines are kept for later");
  }
}

void RunLog::flush() {
  if (waiting_.empty()) return;
  directory_.append_lines(file_, waiting_);
  waiting_.clear();
}

}  // namespace convoy::train
