#pragma once
// Where the time of steps goes: kernels, reduction, data, optimizer, and what is left. Trainer, Engine and
// `convoy bench` start the timers below where work begins; with a null profile, or one that is off, a timer
// reads no clock. Each thread writes to a place of its own, and nothing allocates. Not for evaluation,
// checkpoints or whatever else lies between steps.

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace convoy::step {

/// What a thread may be doing in a step.
enum class Activity : std::size_t {
  kKernels,    ///< forward, loss and backward, with the waits of a team's threads for each other in them
  kReduction,  ///< adding gradients and losses, in a rank and across ranks, with the waits for other ranks
  kData,       ///< filling micro-batches with normalised images
  kOptimizer,  ///< the update of parameters and running statistics
};
inline constexpr std::size_t kActivities = 4;

/// A step's time in parts: the activities in order, then what is left ("other": threads that have nothing to
/// do, the start and end of parallel regions).
inline constexpr std::array<std::string_view, kActivities + 1> kShareNames = {"kernels", "reduction", "data",
                                                                              "optimizer", "other"};
using Shares = std::array<double, kShareNames.size()>;

/// What the steps of one rank took, seconds of wall time.
struct StepTimes {
  double total = 0;
  std::array<double, kActivities> spent{};  ///< by Activity, on average over the threads
};

/// Fractions of `times.total` (above 0), by kShareNames; they add up to 1.
[[nodiscard]] Shares shares_of(const StepTimes& times);

/// Shares of the ranks of a job.
struct RankShares {
  Shares mean{};
  Shares worst{};                                  ///< the largest of any rank
  std::array<int, kShareNames.size()> worst_rank;  ///< the first that has it
};

/// Of one or more ranks, totals above 0.
[[nodiscard]] RankShares shares_of_ranks(const std::vector<StepTimes>& ranks);

class Profile {
 public:
  /// Whether timers read the clock, from construction on.
  enum class Start { kOff, kOn };
  /// For steps on `threads` threads.
  explicit Profile(int threads, Start start = Start::kOn);
  /// Timers that begin later read the clock. Not while timers run.
  void turn_on() { is_on_ = true; }
  [[nodiscard]] bool is_on() const { return is_on_; }

  /// What was booked so far. Not while timers run.
  [[nodiscard]] StepTimes times() const;
  [[nodiscard]] std::int64_t steps() const { return steps_; }

  using Clock = std::chrono::steady_clock;
  /// Of what `thread` books as `from`, before or after, so much was `to`.
  void move(int thread, Activity from, Activity to, Clock::duration time) {
    Times& times = threads_[static_cast<std::size_t>(thread)].times;
    times[static_cast<std::size_t>(from)] -= time;
    times[static_cast<std::size_t>(to)] += time;
  }

 private:
  friend class StepTimer;
  friend class PartTimer;
  using Times = std::array<Clock::duration, kActivities>;
  /// A cache line of its own for each thread.
  struct alignas(64) Slot {
    Times times{};
  };

  bool is_on_;
  Clock::duration total_{};
  std::int64_t steps_ = 0;
  Times serial_{};
  std::vector<Slot> threads_;
};

/// The whole of one step, from construction to destruction. One thread.
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

/// The parts of a step, one after the other, on one thread.
class PartTimer {
 public:
  /// A thread of a parallel region: the profile's number `thread`.
  PartTimer(Profile* profile, int thread);
  /// The one thread that works while the others wait for it: its time is everybody's.
  explicit PartTimer(Profile* profile);
  /// The time since the last call, or since construction, went to `activity`.
  void book(Activity activity);

 private:
  explicit PartTimer(Profile::Times* times);

  Profile::Times* times_;  // null: nobody asks
  Profile::Clock::time_point begin_;
};

}  // namespace convoy::step
