#pragma once
// The kernel tables of each instruction set, one object file each (table.cpp). Used only by the dispatcher.

#include "convoy/kernels/kernels.hpp"

namespace convoy::kernels {

#define CONVOY_ISA_SET(machine, enumerator, name, bytes, features) \
  namespace name {                                                 \
  [[nodiscard]] const KernelTable<float>& float_table();           \
  }
#include "convoy/kernels/isa_list.inc"
#undef CONVOY_ISA_SET

namespace portable {
[[nodiscard]] const KernelTable<double>& double_table();
}

}  // namespace convoy::kernels
