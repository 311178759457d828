#pragma once
// What the run's observer and requests have to do with the reading of the data set. Private to the train
// room.

#include <atomic>
#include <string_view>

#include "convoy/comm/communicator.hpp"
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
  [[nodiscard]] bool is_stop_requested() const override {
    return request_ != nullptr &&
           request_->load(std::memory_order_relaxed) == static_cast<int>(Request::kLeave);
  }

 private:
  Observer* observer_;
  const std::atomic<int>* request_;
};

}  // namespace convoy::train
