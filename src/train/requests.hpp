#pragma once
// What a run is asked for while it goes, by signals or by the clock: what this rank knows of it, and what all
// ranks agree on. Private to the train room.

#include <algorithm>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/train/trainer.hpp"
#include "deadline.hpp"

namespace convoy::train {

class Requests {
 public:
  /// `asked`: a Request that others set; null: nobody asks. Both must outlive it.
  Requests(std::atomic<int>* asked, Deadline& deadline) : asked_(asked), deadline_(deadline) {}

  /// What this rank is asked for. To be called once a step.
  [[nodiscard]] Request own() {
    int mine = static_cast<int>(Request::kNothing);
    if (asked_ != nullptr) {
      mine = static_cast<int>(Request::kCheckpoint);  // asks once: taken back here; a request to leave stays
      asked_->compare_exchange_strong(mine, static_cast<int>(Request::kNothing));  // else: loads it
    }
    return deadline_.is_near() ? Request::kLeave : static_cast<Request>(mine);
  }

  /// Collective. The strongest that any rank has.
  [[nodiscard]] Request agree(const comm::Communicator& world) {
    const int mine = static_cast<int>(own());
    all_.resize(static_cast<std::size_t>(world.size()));
    world.all_gather_equal<int>(std::span<const int>(&mine, 1), all_);
    return static_cast<Request>(*std::max_element(all_.begin(), all_.end()));
  }

 private:
  std::atomic<int>* asked_;
  Deadline& deadline_;
  std::vector<int> all_;
};

}  // namespace convoy::train
