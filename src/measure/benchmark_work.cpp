// Counts the work of passes, multiply-adds and bytes, from shapes only.

#include "convoy/core/layout.hpp"
#include "convoy/measure/benchmark.hpp"

namespace convoy::measure {

std::string_view to_string(Roof roof) {
  return roof == Roof::kCompute ? "compute" : "memory";
}

Roof roof_of(const PassWork& work, const Ceiling& ceiling) {
  return work.multiply_adds / ceiling.multiply_adds > work.bytes / ceiling.bytes ? Roof::kCompute
                                                                                 : Roof::kMemory;
}

Passes<PassWork> work_of(const nn::Network& network, const passes::Operation& operation,
                         std::int64_t samples) {
  const nn::Node& node = network.nodes()[static_cast<std::size_t>(operation.node)];
  const nn::Layer& layer = *node.layer;
  const nn::Traits traits = layer.traits();
  constexpr auto kRealSize = static_cast<std::int64_t>(sizeof(float));
  const std::int64_t blocks = lane_blocks(samples);
  const auto image = [&](const Shape& shape) { return blocks * shape.size() * kLanes * kRealSize; };
  const std::int64_t parameters = nn::parameter_count(layer) * kRealSize;
  const std::int64_t saved = layer.saved_bytes(blocks, kRealSize);
  const std::int64_t dst = image(layer.output());
  const std::int64_t addend = operation.addend == passes::Operation::kNone ? 0 : dst;
  const std::int64_t mask = operation.activation.is_none() ? 0 : dst;
  std::int64_t src = 0;
  std::int64_t diff_src = 0;
  for (const int input : node.inputs) {
    src += image(network.shape_of(input));
    if (network.wants_diff(input)) diff_src += image(network.shape_of(input));
  }

  const auto multiply_adds = static_cast<double>(samples * layer.multiplications());
  const auto work = [&](std::int64_t bytes) {
    return PassWork{.multiply_adds = multiply_adds, .bytes = static_cast<double>(bytes)};
  };
  Passes<PassWork> passes;
  passes.forward = work(src + parameters + addend + dst + saved);
  if (multiply_adds > 0 && parameters > 0) {
    passes.diff_weights = work(src + mask + dst + parameters);
    if (diff_src > 0) passes.diff_src = work(dst + parameters + diff_src);
  } else if (diff_src > 0 || parameters > 0) {
    const std::int64_t read =
        (traits.backward_reads_src ? src : 0) + (traits.backward_reads_dst ? dst : mask) + saved + parameters;
    const PassWork backward = work(dst + read + parameters + diff_src);
    (diff_src > 0 ? passes.diff_src : passes.diff_weights) = backward;
  }
  return passes;
}

}  // namespace convoy::measure
