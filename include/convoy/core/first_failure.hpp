#pragma once
// Exceptions of a loop that several threads run (parallel.hpp).

#include <cstdint>
#include <exception>
#include <mutex>

namespace convoy {

/// The first failure of several threads, by index, so that every run reports the same.
class FirstFailure {
 public:
  /// False if work() threw.
  template <class Work>
  bool attempt(std::int64_t index, const Work& work) {
    try {
      work();
      return true;
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_ || index < index_) {
        failure_ = std::current_exception();
        index_ = index;
      }
      return false;
    }
  }
  /// After the loop, on one thread.
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr failure_;
  std::int64_t index_ = 0;
};

}  // namespace convoy
