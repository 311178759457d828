#include "convoy/data/load_observer.hpp"

namespace convoy::data {

void LoadProgress::add(std::int64_t bytes) {
  done_ += bytes;
  if (observer_ == nullptr) return;
  observer_->check_stop();
  observer_->on_progress(what_, done_, total_);
}

}  // namespace convoy::data
