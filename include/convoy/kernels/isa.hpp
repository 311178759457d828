#pragma once
// Instruction sets the kernels are compiled for, and the choice among them at run time.

#include <string>
#include <string_view>
#include <vector>

namespace convoy::kernels {

/// kPortable, kAvx2, … (isa_list.inc), in rising order: a machine that has one has all before it.
enum class Isa {
#define CONVOY_ISA_SET(machine, enumerator, name, bytes, features) enumerator,
#include "convoy/kernels/isa_list.inc"
#undef CONVOY_ISA_SET
};

/// "portable", "avx2", …
[[nodiscard]] std::string_view to_string(Isa isa);

/// The inverse of to_string; throws ConfigError naming the known sets.
[[nodiscard]] Isa parse_isa(std::string_view name);

/// The sets this processor (and operating system) can run, in rising order; kPortable is always first.
[[nodiscard]] std::vector<Isa> supported_isas();

/// What CONVOY_ISA asks for, else the highest supported set. Throws ConfigError if CONVOY_ISA names a set
/// that is unknown or that this machine lacks.
[[nodiscard]] Isa choose_isa();

}  // namespace convoy::kernels
