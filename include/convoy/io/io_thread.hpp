#pragma once
// The thread of a rank that makes HDF5 calls during training (Debian's HDF5 is not thread-safe): it reads
// ahead and writes checkpoints. While it has work, no other thread of the rank may call hdf5_file.hpp.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace convoy::io {

class IoThread {
 public:
  /// Endless work, in parts of a few milliseconds, so that tasks do not wait long.
  class PollTask {
   public:
    virtual ~PollTask() = default;
    /// Does one part. Returns false if there was nothing to do. Must not throw: it stores failures for later
    /// queries.
    virtual bool advance() noexcept = 0;
  };

  IoThread();
  /// Ends the thread after all posted tasks.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  /// Runs tasks in the order of posting, before poll tasks. Tasks must not throw.
  void post(std::function<void()> task);
  /// Returns when all posted tasks are done.
  void finish();
  /// Runs `poll_task` from now until remove(), in turn with the other poll tasks.
  void add(PollTask* poll_task);
  /// Returns when `poll_task` is not running any more.
  void remove(PollTask* poll_task);
  /// Call if a poll task that had nothing to do may have work now. Otherwise it is retried every few
  /// milliseconds.
  void wake();

 private:
  void work();
  /// Runs each poll task once. Returns whether any of them did something.
  bool advance_chores(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<PollTask*> chores_;
  PollTask* under_way_ = nullptr;
  bool is_awake_ = false;
  bool is_ending_ = false;
  std::thread thread_;  // declared last: the thread uses the members above
};

}  // namespace convoy::io
