#pragma once
// The one thread of a rank that makes HDF5's calls while training goes on (Debian's HDF5 is not thread-safe):
// it reads ahead and writes checkpoints. Who owns one makes no call into hdf5_file.hpp on another thread as
// long as there is work for it.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace convoy::io {

class IoThread {
 public:
  /// Work without an end, in parts of some milliseconds, so that tasks need not wait long.
  class PollTask {
   public:
    virtual ~PollTask() = default;
    /// Does a part; false where there was nothing to do. Throws nothing: failures are kept for who asks.
    virtual bool advance() noexcept = 0;
  };

  IoThread();
  /// Ends the thread after the tasks that were posted.
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  /// Tasks are done in the order in which they are posted, before chores. They throw nothing.
  void post(std::function<void()> task);
  /// From now on, until remove(): in turn with the other chores.
  void add(PollTask* poll_task);
  /// Returns when `poll_task` is not under way any more.
  void remove(PollTask* poll_task);
  /// A poll_task that had nothing to do may have now. Without it they are asked every few milliseconds.
  void wake();

 private:
  void work();
  /// Whether a poll_task did something.
  bool advance_chores(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<PollTask*> chores_;
  PollTask* under_way_ = nullptr;
  bool is_awake_ = false;
  bool is_ending_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace convoy::io
