#pragma once
// The schedule of a step on one group of threads: the order of micro-batches and operations, and the calls of
// the gradient exchange between them. The Engine runs it with kernels, measure/comm_replay.hpp with waits
// instead of kernels; measure/scaling.hpp models its order.

#include <algorithm>
#include <cstdint>

#include "convoy/core/team.hpp"

namespace convoy::step {

/// Work beside a step's computation, called by all threads of the engine between kernels. Must not throw; may
/// wait.
class GradientHook {
 public:
  virtual ~GradientHook() = default;
  /// Before the group's first forward call of operation `operation` (passes/operations.hpp).
  virtual void before(int operation, int thread) noexcept = 0;
  /// After each call of an operation.
  virtual void between(int thread) noexcept = 0;
  /// All micro-batches of a group completed backward of `operation`, and the group added what it could of the
  /// operation's gradient. `is_first`: true on the group's first thread.
  virtual void after(int operation, int thread, bool is_first) noexcept = 0;
  /// This thread has no more work in the step.
  virtual void finish(int thread) noexcept = 0;
};

/// Takes a group's `count` micro-batches through the network: up to `layerwise` of them together, all through
/// one operation before the next, forward and backward. So a gradient is complete right after its layer's
/// last backward, and values of late layers are not needed until the first micro-batches reach these layers.
/// Calls forward(i, place, operation) and backward(i, place, operation), with `place` the index of
/// micro-batch i among those taken together, and complete(operation) when the operation's gradient is
/// complete.
template <class Forward, class Backward, class Complete>
void traverse(std::int64_t count, std::int64_t layerwise, int operations, const Forward& forward,
              const Backward& backward, const Complete& complete) {
  const std::int64_t turns = std::max<std::int64_t>(1, (count + layerwise - 1) / layerwise);
  for (std::int64_t turn = 0; turn < turns; ++turn) {
    const Range in_hand = split(count, turns, turn);
    for (int operation = 0; operation < operations; ++operation)
      for (std::int64_t i = in_hand.begin; i < in_hand.end; ++i) forward(i, i - in_hand.begin, operation);
    for (int operation = operations; operation-- > 0;) {
      for (std::int64_t i = in_hand.begin; i < in_hand.end; ++i) backward(i, i - in_hand.begin, operation);
      if (turn + 1 == turns) complete(operation);
    }
  }
}

/// The part of one thread in a group's step.
struct GroupSchedule {
  std::int64_t micro_batches = 0;  ///< micro-batches of the group
  std::int64_t layerwise = 1;      ///< see traverse()
  int operations = 0;
  int thread = 0;        ///< index in the rank
  bool is_first = true;  ///< true on the group's first thread
};

/// Runs one thread's step: traverse(), with load(i, place) before a micro-batch's first operation, and calls
/// of `hook` (may be null).
template <class Load, class Forward, class Backward>
void run_schedule(const GroupSchedule& schedule, GradientHook* hook, const Load& load, const Forward& forward,
                  const Backward& backward) {
  const int thread = schedule.thread;
  traverse(
      schedule.micro_batches, schedule.layerwise, schedule.operations,
      [&](std::int64_t i, std::int64_t place, int operation) {
        if (operation == 0) load(i, place);
        if (hook != nullptr) {
          if (i == 0) {
            hook->before(operation, thread);
          } else {
            hook->between(thread);
          }
        }
        forward(i, place, operation);
      },
      [&](std::int64_t i, std::int64_t place, int operation) {
        backward(i, place, operation);
        if (hook != nullptr) hook->between(thread);
      },
      [&](int operation) {
        if (hook != nullptr) hook->after(operation, thread, schedule.is_first);
      });
  if (hook != nullptr) hook->finish(thread);
}

}  // namespace convoy::step
