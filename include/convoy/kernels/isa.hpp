#pragma once
// Instruction sets the kernels are compiled for, and the choice among them at run time.

#include <string>
#include <string_view>
#include <vector>

namespace convoy::kernels {

/// In rising order: a machine that has one has all before it.
enum class Isa { kPortable = 0, kAvx2 = 1, kAvx512 = 2, kAvx512Bf16 = 3 };

/// "portable", "avx2", "avx512", "avx512bf16".
[[nodiscard]] std::string_view to_string(Isa isa);

/// The inverse of to_string; throws ConfigError naming the known sets.
[[nodiscard]] Isa parse_isa(std::string_view name);

/// The sets this processor (and operating system) can run, in rising order; kPortable is always first.
[[nodiscard]] std::vector<Isa> supported_isas();

/// What CONVOY_ISA asks for, else the highest supported set. Throws ConfigError where CONVOY_ISA names a set
/// that is unknown or that this machine lacks.
[[nodiscard]] Isa choose_isa();

}  // namespace convoy::kernels
