#pragma once
// The floating-point mode of every thread that computes values of the training run.

#include <cstdint>

namespace convoy {

/// Sets the mode in the calling thread: rounds to nearest, no traps, and flushes subnormal results and inputs
/// to zero (FTZ, DAZ). Subnormals cost a hundred times a normal operation, and the results must not depend on
/// the mode that a library or the calling program left. Call first in every thread.
void set_floating_point_mode();

/// Has this mode in the calling thread as long as it exists, and restores the thread's own afterwards: a
/// program that calls the library keeps its subnormals and traps.
class FloatingPointMode {
 public:
  FloatingPointMode();
  ~FloatingPointMode();
  FloatingPointMode(const FloatingPointMode&) = delete;
  FloatingPointMode& operator=(const FloatingPointMode&) = delete;

  /// The thread's own mode as long as it exists: for a call of the program's code in between.
  class Program {
   public:
    explicit Program(const FloatingPointMode& mode);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
  };

 private:
  std::uint64_t found_;
};

/// Has the mode in which a program starts in the calling thread as long as it exists. Around each parallel
/// region: threads that the region creates inherit the mode, keep it, and later serve the program's regions.
class StandardFloatingPointMode {
 public:
  StandardFloatingPointMode();
  ~StandardFloatingPointMode();
  StandardFloatingPointMode(const StandardFloatingPointMode&) = delete;
  StandardFloatingPointMode& operator=(const StandardFloatingPointMode&) = delete;

 private:
  std::uint64_t found_;
};

}  // namespace convoy
