#pragma once
// Measures the time of steps by activity: kernels, reduction, data, optimizer, other. Trainer, Engine and
// `convoy bench` start the timers below where work begins. With a null or disabled profile, a timer reads no
// clock. Each thread writes to its own slot; nothing allocates. Not for evaluation, checkpoints, or other
// work between steps.

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace convoy::step {

/// Activity of a thread in a step.
enum class Activity : std::size_t {
  kKernels,    ///< forward, loss and backward, including waits within a team
  kReduction,  ///< adding gradients and losses, in a rank and across ranks, including waits for other ranks
  kData,       ///< filling micro-batches with normalised images
  kOptimizer,  ///< the update of parameters and running statistics
};
inline constexpr std::size_t kActivities = 4;

/// Parts of a step's time: the activities in order, then the rest ("other": idle threads, start and end of
/// parallel regions).
inline constexpr std::array<std::string_view, kActivities + 1> kShareNames = {"kernels", "reduction", "data",
                                                                              "optimizer", "other"};
using Shares = std::array<double, kShareNames.size()>;

/// Time of one rank's steps, seconds of wall time.
struct StepTimes {
  double total = 0;
  std::array<double, kActivities> spent{};  ///< by Activity, mean over the threads
};

/// Fractions of `times.total` (above 0), by kShareNames; their sum is 1.
[[nodiscard]] Shares shares_of(const StepTimes& times);

/// Shares over all ranks of a job.
struct RankShares {
  Shares mean{};
  Shares worst{};                                  ///< the largest of any rank
  std::array<int, kShareNames.size()> worst_rank;  ///< the first rank with this share
};

/// For one or more ranks, each total above 0.
[[nodiscard]] RankShares shares_of_ranks(const std::vector<StepTimes>& ranks);

class Profile {
 public:
  /// Whether timers read the clock after construction.
  enum class Start { kOff, kOn };
  /// For steps on `threads` threads.
  explicit Profile(int threads, Start start = Start::kOn);
  /// Enables timers constructed later. Not while timers run.
  void turn_on() { is_on_ = true; }
  [[nodiscard]] bool is_on() const { return is_on_; }

  /// Time recorded so far. Not while timers run.
  [[nodiscard]] StepTimes times() const;
  [[nodiscard]] std::int64_t steps() const { return steps_; }

  using Clock = std::chrono::steady_clock;
  /// Moves `time` of `thread` from activity `from` to `to`. The time may be booked before or after this call.
  void move(int thread, Activity from, Activity to, Clock::duration time) {
    Times& times = threads_[static_cast<std::size_t>(thread)].times;
    times[static_cast<std::size_t>(from)] -= time;
    times[static_cast<std::size_t>(to)] += time;
  }

 private:
  friend class StepTimer;
  friend class PartTimer;
  using Times = std::array<Clock::duration, kActivities>;
  /// One cache line per thread.
  struct alignas(64) Slot {
    Times times{};
  };

  bool is_on_;
  Clock::duration total_{};
  std::int64_t steps_ = 0;
  Times serial_{};
  std::vector<Slot> threads_;
};

/// Measures one whole step, from construction to destruction. One thread.
class StepTimer {
 public:
  explicit StepTimer(Profile* profile);
  ~StepTimer();
  StepTimer(const StepTimer&) = delete;
  StepTimer& operator=(const StepTimer&) = delete;

 private:
  Profile* profile_;
  Profile::Clock::time_point begin_;
};

/// Measures the consecutive parts of a step on one thread.
class PartTimer {
 public:
  /// For thread number `thread` of a parallel region.
  PartTimer(Profile* profile, int thread);
  /// For the only working thread while all others wait: its time counts for all threads.
  explicit PartTimer(Profile* profile);
  /// Books the time since the last call, or since construction, as `activity`.
  void book(Activity activity);

 private:
  explicit PartTimer(Profile::Times* times);

  Profile::Times* times_;  // null: disabled
  Profile::Clock::time_point begin_;
};

}  // namespace convoy::step
