#include "convoy/train/step_recorder.hpp"

#include "convoy/core/hash.hpp"
#include "convoy/passes/operations.hpp"

namespace convoy::train {

StepRecorder::StepRecorder(model::Hashed what, const comm::Communicator& world, const nn::Network& network)
    : what_(what), world_(world), network_(network) {
  if (what != model::Hashed::kLayers) return;
  const std::vector<passes::Operation> operations = passes::plan_operations(network);
  std::size_t places = operations.size();
  gradients_.resize(operations.size());
  for (const std::size_t i : model::hashed_gradients(network, operations)) gradients_[i] = places++;
  computed_ = std::vector<std::atomic<std::uint64_t>>(places);
}

step::Hooks StepRecorder::hooks(const step::Hooks& others) {
  step::Hooks all = others;
  if (what_ == model::Hashed::kLayers) all.see = [this](const step::Computed& computed) { see(computed); };
  return all;
}

void StepRecorder::see(const step::Computed& computed) {
  if (computed.values.empty()) return;
  const auto operation = static_cast<std::size_t>(computed.operation);
  const std::size_t at = computed.pass == step::Computed::Pass::kForward ? operation : gradients_[operation];
  // The sum is the same in any order of the micro-batches.
  computed_[at].fetch_add(
      hash_at(hash(std::as_bytes(computed.values)).low, static_cast<std::uint64_t>(computed.leaf)),
      std::memory_order_relaxed);
}

std::vector<std::uint64_t> StepRecorder::finish(const model::State& state, int threads) {
  std::vector<std::uint64_t> mine;
  for (std::atomic<std::uint64_t>& each : computed_) mine.push_back(each.exchange(0));
  if (what_ != model::Hashed::kNone) {
    const std::vector<std::uint64_t> of_state = model::state_hashes(network_, state, world_, threads);
    mine.insert(mine.end(), of_state.begin(), of_state.end());
  }
  if (world_.size() == 1 || mine.empty()) return mine;
  const std::vector<std::uint64_t> all = world_.all_gather_values(mine);
  std::vector<std::uint64_t> sums(mine.size());
  for (std::size_t i = 0; i < all.size(); ++i) sums[i % sums.size()] += all[i];
  return sums;
}

}  // namespace convoy::train
