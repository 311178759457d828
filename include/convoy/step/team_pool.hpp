#pragma once
// Parallel regions with a fixed number of threads, split into teams. The only code that starts OpenMP
// threads.

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <vector>

#include "convoy/core/team.hpp"

namespace convoy::step {

class TeamPool {
 public:
  /// Every thread calls `enter_thread` at the start of a region (KernelTable::enter_thread); null: no call.
  /// Throws ConfigError if OpenMP cannot provide `threads` threads (OMP_THREAD_LIMIT).
  explicit TeamPool(int threads, void (*enter_thread)() = nullptr);
  ~TeamPool();
  TeamPool(const TeamPool&) = delete;
  TeamPool& operator=(const TeamPool&) = delete;

  [[nodiscard]] int threads() const { return threads_; }

  /// Runs work(group, team) on every thread, split into `groups` teams (1 … threads); group g has
  /// split(threads, groups, g) threads. Sets the floating-point mode of each thread. `work` must not throw.
  /// Returns when all threads finish.
  template <class Work>
  void run(std::int64_t groups, const Work& work) {
    const Thunk<Work> thunk{work};
    start(groups, thunk);
  }

  /// Runs make(group) on the first thread of each team. Use it to allocate memory near the thread that first
  /// writes it. After all finish, rethrows the exception of the first group that threw.
  template <class Make>
  void make(std::int64_t groups, const Make& make) {
    std::vector<std::exception_ptr> failures(static_cast<std::size_t>(groups));
    run(groups, [&](std::int64_t group, const Team& team) {
      if (team.index() != 0) return;
      try {
        make(group);
      } catch (...) {  // nothing may leave a parallel region
        failures[static_cast<std::size_t>(group)] = std::current_exception();
      }
    });
    for (const std::exception_ptr& failure : failures)
      if (failure) std::rethrow_exception(failure);
  }

 private:
  struct Job {
    virtual ~Job() = default;
    virtual void operator()(std::int64_t group, const Team& team) const noexcept = 0;
  };
  template <class Work>
  struct Thunk final : Job {
    explicit Thunk(const Work& the_work) : work(the_work) {}
    void operator()(std::int64_t group, const Team& team) const noexcept override { work(group, team); }
    const Work& work;
  };
  /// Group and team of a thread, for one number of groups.
  struct Place {
    std::int64_t group = 0;
    Team team;
  };
  struct Split {
    std::vector<std::unique_ptr<Barrier>> barriers;
    std::vector<Place> places;  // by thread
  };

  void start(std::int64_t groups, const Job& job);
  /// Throws ConfigError if a region had fewer threads.
  void require_all(int given) const;
  const Split& split_into(std::int64_t groups);

  int threads_;
  void (*enter_thread_)();
  std::map<std::int64_t, Split> splits_;  // by number of groups; created on first use
};

}  // namespace convoy::step
