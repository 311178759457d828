#pragma once
// The schedule of a step on one group of threads: in which order its micro-batches go through the operations,
// and when the exchange of gradients has its turn between them. The Engine runs it with kernels,
// measure/comm_replay.hpp with waits in their place; measure/scaling.hpp takes its order for a model.

#include <algorithm>
#include <cstdint>

#include "convoy/core/team.hpp"

namespace convoy::step {

/// What goes on beside a step's computation: called by all of the engine's threads, between kernels. Nothing
/// may be thrown; waiting is allowed.
class GradientHook {
 public:
  virtual ~GradientHook() = default;
  /// Before a group's first micro-batch goes through operation `operation` (nn/operations.hpp), forward.
  virtual void before(int operation, int thread) noexcept = 0;
  /// After a call of some operation.
  virtual void between(int thread) noexcept = 0;
  /// All of a group's micro-batches have gone back through `operation`, and what could be added of its
  /// gradient within the group has been. `is_first`: of the group's threads.
  virtual void after(int operation, int thread, bool is_first) noexcept = 0;
  /// This thread has nothing left to compute in the step.
  virtual void finish(int thread) noexcept = 0;
};

/// The order in which a group of threads takes its `count` micro-batches through the network: up to
/// `layerwise` of them together, all through one operation before the next, forward and back. So a gradient
/// is complete right after its layer of the last ones, and the values of late layers are not needed before
/// the first ones have come that far. Calls forward(i, place, operation) and backward(i, place, operation),
/// `place` the micro-batch's among those in hand, and complete(operation) once an operation's gradient is.
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

/// One thread's part in a group's step.
struct GroupSchedule {
  std::int64_t micro_batches = 0;  ///< of the group
  std::int64_t layerwise = 1;      ///< see traverse()
  int operations = 0;
  int thread = 0;        ///< of the rank
  bool is_first = true;  ///< of the group
};

/// The step of one thread: traverse(), with load(i, place) before a micro-batch's first operation, and `hook`
/// (null: none) in its turns.
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
