#pragma once
// The instruction sets of the kernels, and the choice of one at run time.

#include <string>
#include <string_view>
#include <vector>

namespace convoy::kernels {

/// kPortable, kNeon, kAvx2, … (isa_list.inc), in ascending order: a machine that supports a set supports all
/// sets of its kind before it.
enum class Isa {
#define CONVOY_ISA_SET(machine, enumerator, name, bytes, features) enumerator,
#include "convoy/kernels/isa_list.inc"
#undef CONVOY_ISA_SET
};

/// "portable", "avx2", …
[[nodiscard]] std::string_view to_string(Isa isa);

/// The inverse of to_string; throws ConfigError naming the known sets.
[[nodiscard]] Isa parse_isa(std::string_view name);

/// True if the two sets compute the same bits. All sets with fused multiply-adds do; kPortable rounds every
/// product and has its own.
[[nodiscard]] bool same_bits(Isa a, Isa b);
/// The same for a set by its name; false for an unknown one.
[[nodiscard]] bool same_bits(std::string_view name, Isa b);

/// The sets that this processor and operating system support, in ascending order; kPortable is always first.
[[nodiscard]] std::vector<Isa> supported_isas();

/// The set named by the environment variable CONVOY_ISA, else the highest supported set. Throws ConfigError
/// if CONVOY_ISA names an unknown or unsupported set.
[[nodiscard]] Isa choose_isa();

}  // namespace convoy::kernels
