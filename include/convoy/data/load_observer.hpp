#pragma once
// Follows the opening and reading of a data set, which takes minutes if it is large, and can end it. The
// library does not print; the trainer's observer does.

#include <cstdint>
#include <functional>
#include <string_view>

namespace convoy::data {

class LoadObserver {
 public:
  virtual ~LoadObserver() = default;
  /// This rank has done `done` of `total` bytes of `what` ("checksums", "train images"). Called often, on
  /// every rank.
  virtual void on_progress(std::string_view /*what*/, std::int64_t /*done*/, std::int64_t /*total*/) {}
  /// Ends the reading by throwing an Error, if a stop was requested. Called every fraction of a second, on
  /// every rank.
  virtual void check_stop() const {}
};

/// One task of this rank for a LoadObserver, which may be null.
class LoadProgress {
 public:
  LoadProgress(LoadObserver* observer, std::string_view what, std::int64_t total)
      : observer_(observer), what_(what), total_(total) {}
  /// `bytes` more are done; 0: none, but time has passed. Throws what the observer throws for a stop.
  void add(std::int64_t bytes);
  /// add(), for functions that report bytes.
  [[nodiscard]] std::function<void(std::int64_t)> adder() {
    return [this](std::int64_t bytes) { add(bytes); };
  }

 private:
  LoadObserver* observer_;
  std::string_view what_;
  std::int64_t total_;
  std::int64_t done_ = 0;
};

}  // namespace convoy::data
