#pragma once
// Hooks for tests: they corrupt a rank's data, to check that other ranks detect it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace convoy::step {

/// `corrupt` receives the bytes that ranks compare and may change them. `what` is "build", "configuration" or
/// "data" (a digest), "parameters" (after each update), or "gradient" (of a micro-batch and layer, when
/// computed, on any thread). The product installs no hook.
struct Hooks {
  std::function<void(std::string_view what, int rank, std::int64_t step, std::span<std::byte> bytes)> corrupt;
};

}  // namespace convoy::step
