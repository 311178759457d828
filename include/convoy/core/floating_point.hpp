#pragma once
// The floating-point mode of every thread that computes values of the training run.

namespace convoy {

/// Flushes subnormal results and inputs to zero (FTZ, DAZ) in the calling thread. Subnormals cost a hundred
/// times a normal operation, and the results must not depend on the mode a library left. Call first in every
/// thread.
void set_floating_point_mode();

}  // namespace convoy
