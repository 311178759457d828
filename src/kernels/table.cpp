// The kernels of one instruction set. Compiled once per set, with CONVOY_ISA (its name), CONVOY_ISA_VALUE
// (the enumerator), CONVOY_VECTOR_BYTES and CONVOY_FUSED (1: fused multiply-adds) defined from isa_list.inc,
// and with the set's flags; simd.hpp lists what is forbidden here.

#include "tables.hpp"

#include "batchnorm.hpp"
#include "elementwise.hpp"
#include "grouped.hpp"
#include "groupnorm.hpp"
#include "limits.hpp"
#include "planner.hpp"
#include "pool.hpp"

namespace convoy::kernels {
namespace {

/// No set needs preparation.
void enter_thread() {}

template <class Real>
constexpr KernelTable<Real> make_table() {
  return {
      .isa = Isa::CONVOY_ISA_VALUE,
      .planner = {.conv2d_algorithms = conv2d_algorithms<Real>,
                  .conv2d_scratch_size = conv2d_scratch_size<Real>},
      .enter_thread = enter_thread,
      .conv2d_forward = grouped_forward<Real>,
      .conv2d_backward_data = grouped_backward_data<Real>,
      .conv2d_backward_weights = grouped_backward_weights<Real>,
      .maxpool_forward = maxpool_forward<Real>,
      .maxpool_backward = maxpool_backward<Real>,
      .avgpool_forward = avgpool_forward<Real>,
      .avgpool_backward = avgpool_backward<Real>,
      .batchnorm_forward = batchnorm_forward<Real>,
      .batchnorm_inference = batchnorm_inference<Real>,
      .batchnorm_backward = batchnorm_backward<Real>,
      .groupnorm_forward = groupnorm_forward<Real>,
      .groupnorm_backward = groupnorm_backward<Real>,
      .activation_forward = activation_forward<Real>,
      .activation_backward = activation_backward<Real>,
      .add = add<Real>,
      .multiply = multiply<Real>,
      .softmax_forward = softmax_forward<Real>,
      .softmax_backward = softmax_backward<Real>,
      .accumulate = accumulate<Real>,
      .divide = divide<Real>,
      .multiply_add_chains = multiply_add_chains<Real>,
      .triad = triad<Real>,
  };
}

constexpr KernelTable<float> kFloatTable = make_table<float>();
#if !CONVOY_FUSED
constexpr KernelTable<double> kDoubleTable = make_table<double>();
#endif

}  // namespace

namespace CONVOY_ISA {

const KernelTable<float>& float_table() {
  return kFloatTable;
}
#if !CONVOY_FUSED
const KernelTable<double>& double_table() {
  return kDoubleTable;
}
#endif

}  // namespace CONVOY_ISA
}  // namespace convoy::kernels
