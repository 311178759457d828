#pragma once
// Functions that look into a step: records of what it computed, and faults that tests plant.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace convoy::step {

/// What one operation (passes/operations.hpp) computed for one micro-batch of a step.
struct Computed {
  enum class Pass : char { kForward, kBackward };
  Pass pass = Pass::kForward;
  std::int64_t leaf = 0;  ///< the micro-batch, over all ranks
  int operation = 0;
  /// Forward: the output, in lane blocks. Backward: the gradient of its parameters, before any addition.
  std::span<const float> values;
};

/// Empty functions cost nothing.
struct Hooks {
  /// Tests only; the product leaves it empty. Receives the bytes that ranks compare and may change them, to
  /// check that others detect it. `what` is "build", "configuration" or "data" (a digest), "parameters"
  /// (after each update), or "gradient" (of a micro-batch and an operation, when computed, on any thread;
  /// `operation` is -1 otherwise).
  std::function<void(std::string_view what, int operation, int rank, std::int64_t step,
                     std::span<std::byte> bytes)>
      corrupt;
  /// Called for all that this rank computes in a step, on any thread, each once.
  std::function<void(const Computed& computed)> see;
};

}  // namespace convoy::step
