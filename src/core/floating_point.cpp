#include "convoy/core/floating_point.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace convoy {
namespace {

#if defined(__SSE2__)
// MXCSR: all exceptions masked, rounding to nearest, flush to zero, denormals are zero.
constexpr std::uint64_t kStandard = 0x1F80;
constexpr std::uint64_t kMode = kStandard | 0x8000 | 0x0040;
std::uint64_t mode() {
  return _mm_getcsr();
}
void set_mode(std::uint64_t mode) {
  _mm_setcsr(static_cast<unsigned>(mode));
}
#elif defined(__aarch64__)
constexpr std::uint64_t kStandard = 0;
constexpr std::uint64_t kMode = std::uint64_t{1} << 24;  // FZ: inputs and results; nearest, no traps
std::uint64_t mode() {
  std::uint64_t fpcr = 0;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  return fpcr;
}
void set_mode(std::uint64_t mode) {
  asm volatile("msr fpcr, %0" : : "r"(mode));
}
#else
constexpr std::uint64_t kStandard = 0;
constexpr std::uint64_t kMode = 0;
std::uint64_t mode() {
  return 0;
}
void set_mode(std::uint64_t) {}
#endif

}  // namespace

void set_floating_point_mode() {
  set_mode(kMode);
}

FloatingPointMode::FloatingPointMode() : found_(mode()) {
  set_mode(kMode);
}
FloatingPointMode::~FloatingPointMode() {
  set_mode(found_);
}

FloatingPointMode::Program::Program(const FloatingPointMode& mode) {
  set_mode(mode.found_);
}
FloatingPointMode::Program::~Program() {
  set_mode(kMode);
}

StandardFloatingPointMode::StandardFloatingPointMode() : found_(mode()) {
  set_mode(kStandard);
}
StandardFloatingPointMode::~StandardFloatingPointMode() {
  set_mode(found_);
}

}  // namespace convoy
