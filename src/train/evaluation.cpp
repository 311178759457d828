#include "convoy/train/evaluation.hpp"

#include "convoy/comm/tree.hpp"
#include "convoy/core/error.hpp"

namespace convoy::train {

std::int64_t outputs_for(const data::Dataset& dataset, const Options& options) {
  if (dataset.has_targets() && options.loss != nn::LossKind::kQuadratic)
    throw ConfigError("network.loss = " + std::string(nn::to_string(options.loss)) + " needs classes (" +
                      options.data.file + " holds targets); set network.loss = quadratic");
  return dataset.classes();
}

Evaluation evaluate(Engine& engine, const comm::Communicator& world, const Source& source, const State& state,
                    std::int64_t confusion_classes) {
  Evaluation result;
  result.samples = source.split->samples();
  const std::int64_t leaves = (result.samples + engine.micro_batch() - 1) / engine.micro_batch();
  const Range block = comm::leaf_block(leaves, world.size(), world.rank());
  std::vector<LeafResult> mine(static_cast<std::size_t>(block.size()));
  const auto cells = static_cast<std::size_t>(confusion_classes * confusion_classes);
  std::vector<std::int64_t> confusion(cells);
  engine.evaluate(source, state, block, mine, confusion);

  std::vector<double> losses;
  for (const LeafResult& leaf : world.all_gather_values(mine)) {
    losses.push_back(leaf.loss_sum);
    result.correct += leaf.correct;
    result.correct_top5 += leaf.correct_top5;
  }
  result.loss = comm::tree_sum(losses) / static_cast<double>(result.samples);

  result.confusion.resize(cells);
  const std::vector<std::int64_t> all = world.all_gather_values(confusion);
  for (std::size_t i = 0; i < all.size(); ++i) result.confusion[i % cells] += all[i];
  return result;
}

}  // namespace convoy::train
