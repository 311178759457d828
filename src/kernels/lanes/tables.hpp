#pragma once
// The kernel tables of each instruction set, one object file each (table.cpp). Only the dispatcher asks for
// them.

#include "convoy/kernels/kernels.hpp"

namespace convoy::kernels {

namespace portable {
[[nodiscard]] const KernelTable<float>& float_table();
[[nodiscard]] const KernelTable<double>& double_table();
}  // namespace portable

#if CONVOY_X86_KERNELS
namespace avx2 {
[[nodiscard]] const KernelTable<float>& float_table();
}
namespace avx512 {
[[nodiscard]] const KernelTable<float>& float_table();
}
namespace avx512bf16 {
[[nodiscard]] const KernelTable<float>& float_table();
}
#endif

}  // namespace convoy::kernels
