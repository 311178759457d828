#pragma once
// The floating-point mode every thread that touches the trajectory runs in.

namespace convoy {

/// Flushes subnormal results and inputs to zero (FTZ, DAZ) in the calling thread: subnormals cost a hundred
/// times a normal operation, and whether a library left the mode on must not decide a bit. Call it first
/// thing in every thread.
void set_floating_point_mode();

}  // namespace convoy
