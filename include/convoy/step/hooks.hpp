#pragma once
// The seam through which tests spoil what ranks compute, to see that the others notice.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace convoy::step {

/// Seams for tests: `corrupt` gets the bytes that ranks compare ("build", "configuration", "data": a digest;
/// "parameters": after each update; "gradient": of a micro-batch and layer, as it is computed, on any thread)
/// and may change them. The program that users run installs none.
struct Hooks {
  std::function<void(std::string_view what, int rank, std::int64_t step, std::span<std::byte> bytes)> corrupt;
};

}  // namespace convoy::step
