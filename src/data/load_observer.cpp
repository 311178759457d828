#include "convoy/data/load_observer.hpp"

#include "convoy/core/error.hpp"

namespace convoy::data {

void LoadProgress::add(std::int64_t bytes) {
  done_ += bytes;
  if (observer_ == nullptr) return;
  if (observer_->is_stop_requested())
    throw Error(ExitStatus::kStoppedEarly,
                "stopped while the data set was read, before the first step; the same command starts again");
  observer_->on_progress(what_, done_, total_);
}

}  // namespace convoy::data
