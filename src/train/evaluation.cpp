#include "convoy/train/evaluation.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>

#include "convoy/comm/tree.hpp"
#include "convoy/core/error.hpp"
#include "convoy/step/feed.hpp"

namespace convoy::train {

std::int64_t outputs_for(const data::Dataset& dataset, const config::Options& options) {
  if (dataset.has_targets() && options.loss != nn::LossKind::kQuadratic)
    throw ConfigError(
        fmt::format("network.loss = {} needs classes ({} holds targets); set network.loss = quadratic",
                    nn::to_string(options.loss), options.data.file));
  return dataset.classes();
}

namespace {

/// Evaluates micro-batches `block`. Each of the two read buffers holds about 16 MiB, and at least one
/// micro-batch per thread.
void evaluate_streamed(step::Engine& engine, const step::Source& source, const model::State& state,
                       io::IoThread& io_thread, const Range& block, std::span<step::MicroBatchResult> leaves,
                       std::span<std::int64_t> confusion) {
  if (block.size() == 0) return;
  constexpr std::int64_t kBytes = std::int64_t{16} << 20;
  const std::int64_t leaf_bytes = engine.micro_batch() * source.split->image_bytes();
  const std::int64_t at_once =
      std::min(std::max<std::int64_t>(kBytes / leaf_bytes, engine.threads()), block.size());
  const Range rows{block.begin * engine.micro_batch(),
                   std::min(block.end * engine.micro_batch(), source.split->samples())};
  const auto stream = step::feed_evaluation(*source.split, io_thread, rows, at_once * engine.micro_batch());
  for (std::int64_t step = 0, begin = block.begin; begin < block.end; ++step, begin += at_once) {
    const Range piece{begin, std::min(begin + at_once, block.end)};
    step::await_images(*stream, step, [&] { engine.tick(); });
    engine.evaluate(
        source, stream.get(), state, piece,
        leaves.subspan(static_cast<std::size_t>(begin - block.begin), static_cast<std::size_t>(piece.size())),
        confusion);
    stream->release(step);
  }
}

}  // namespace

Evaluation evaluate(step::Engine& engine, const comm::Communicator& world, const step::Source& source,
                    const model::State& state, io::IoThread* io_thread, std::int64_t confusion_classes) {
  Evaluation result;
  result.samples = source.split->samples();
  assert(result.samples > 0);
  const std::int64_t leaves = (result.samples + engine.micro_batch() - 1) / engine.micro_batch();
  const Range block = comm::leaf_block(leaves, world.size(), world.rank());
  std::vector<step::MicroBatchResult> mine(static_cast<std::size_t>(block.size()));
  const auto cells = static_cast<std::size_t>(confusion_classes * confusion_classes);
  std::vector<std::int64_t> confusion(cells);
  if (source.split->is_streamed()) {
    evaluate_streamed(engine, source, state, *io_thread, block, mine, confusion);
  } else {
    engine.evaluate(source, nullptr, state, block, mine, confusion);
  }

  std::vector<double> losses;
  for (const step::MicroBatchResult& leaf : world.all_gather_values(mine)) {
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
