#include "convoy/predict/inference.hpp"

#include <utility>
#include <vector>

#include "convoy/core/integer.hpp"
#include "convoy/passes/operations.hpp"

namespace convoy::predict {
namespace {

/// Micro-batches whose last layers run together: so many that weights are read seldom, so few that a batch of
/// 64 images does.
std::int64_t micro_batches_together(const nn::Network& network, std::int64_t micro_batch) {
  constexpr std::int64_t kMost = 4;
  const bool has_such_layers =
      passes::operations_apart(network) < static_cast<int>(passes::plan_operations(network).size());
  return has_such_layers && micro_batch == kLanes ? kMost : 1;
}

}  // namespace

Inference::Inference(std::shared_ptr<const FoldedNetwork> network, kernels::Isa isa, Precision precision,
                     int threads, std::int64_t micro_batch)
    : network_(std::move(network)),
      engine_(network_->network, {.kernels = kernels::float_kernels(isa),
                                  .threads = threads,
                                  .micro_batch = micro_batch,
                                  .precision = precision,
                                  .trains = false,
                                  .together = micro_batches_together(network_->network, micro_batch)}) {}

void Inference::answer(const data::Split& split, const data::InputTransform& transform,
                       std::span<float> outputs) {
  const std::int64_t leaves = ceil_div(split.samples(), engine_.micro_batch());
  std::vector<step::MicroBatchResult> none(static_cast<std::size_t>(leaves));
  engine_.evaluate({.split = &split, .transform = transform}, nullptr, network_->state, {0, leaves}, none,
                   outputs);
}

}  // namespace convoy::predict
