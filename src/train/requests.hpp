#pragma once
// Requests to a run while it trains, by signals or by the clock: this rank's request, and the one that all
// ranks agree on. Private to the train room.

#include <algorithm>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/train/trainer.hpp"
#include "deadline.hpp"

namespace convoy::train {

class Requests {
 public:
  /// `asked`: a Request that other code sets; null: none. Both arguments must outlive the object.
  Requests(std::atomic<int>* asked, Deadline& deadline) : asked_(asked), deadline_(deadline) {}

  /// This rank's request. Call once per step.
  [[nodiscard]] Request own() {
    int mine = static_cast<int>(Request::kNothing);
    if (asked_ != nullptr) {
      // A checkpoint request is served once: reset it. Another request stays; the failed exchange loads it.
      mine = static_cast<int>(Request::kCheckpoint);
      asked_->compare_exchange_strong(mine, static_cast<int>(Request::kNothing));
    }
    return deadline_.is_near() ? Request::kLeave : static_cast<Request>(mine);
  }

  /// Collective. The strongest request of any rank.
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
