#pragma once
// What the run's observer and requests have to do with the reading of the data set. Private to the train
// room.

#include <atomic>
#include <string_view>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"
#include "convoy/data/load_observer.hpp"
#include "convoy/train/observer.hpp"
#include "convoy/train/trainer.hpp"

namespace convoy::train {

/// Reports progress on rank 0, and stops at the request to leave.
class Loading final : public data::LoadObserver {
 public:
  /// `launch` must outlive the object.
  Loading(const Launch& launch, const comm::Communicator& world)
      : observer_(world.is_root() ? launch.observer : nullptr), request_(launch.request) {}

  void on_progress(std::string_view what, std::int64_t done, std::int64_t total) override {
    if (observer_ != nullptr) observer_->on_loading({.what = what, .done = done, .total = total});
  }
  void check_stop() const override {
    if (request_ != nullptr && request_->load(std::memory_order_relaxed) == static_cast<int>(Request::kLeave))
      throw Error(
          ExitStatus::kStoppedEarly,
          "stopped while the data set was read, before the first step; the same command starts again");
  }

 private:
  Observer* observer_;
  const std::atomic<int>* request_;
};

}  // namespace convoy::train
