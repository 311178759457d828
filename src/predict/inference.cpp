#include "convoy/predict/inference.hpp"

#include <utility>
#include <vector>

#include "convoy/core/integer.hpp"

namespace convoy::predict {
namespace {

/// Micro-batches whose last layers run together: so many that weights are read seldom, so few that a batch of
/// 64 images does.
constexpr std::int64_t kTogether = 4;

}  // namespace

Inference::Inference(std::shared_ptr<const FoldedNetwork> network, kernels::Isa isa, Precision precision,
                     int threads, std::int64_t micro_batch)
    : network_(std::move(network)),
      engine_(network_->network, {.kernels = kernels::float_kernels(isa),
                                  .threads = threads,
                                  .micro_batch = micro_batch,
                                  .precision = precision,
                                  .trains = false,
                                  .together = micro_batch == kLanes ? kTogether : 1}) {}

void Inference::answer(const data::Split& split, const data::InputTransform& transform,
                       std::span<float> outputs) {
  const std::int64_t leaves = ceil_div(split.samples(), engine_.micro_batch());
  std::vector<step::MicroBatchResult> none(static_cast<std::size_t>(leaves));
  engine_.evaluate({.split = &split, .transform = transform}, nullptr, network_->state, {0, leaves}, none,
                   outputs);
}

}  // namespace convoy::predict
