#include "convoy/train/evaluation.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>

#include "convoy/comm/tree.hpp"
#include "convoy/core/error.hpp"
#include "convoy/samples/names.hpp"
#include "convoy/step/feed.hpp"

namespace convoy::train {

std::int64_t outputs_for(const data::Dataset& dataset, const config::Options& options) {
  if (dataset.has_targets() && !nn::takes_targets(options.loss.kind))
    throw ConfigError(
        fmt::format("network.loss = {} needs classes ({} holds targets); set network.loss to {}",
                    nn::to_string(options.loss.kind), options.data.file, nn::kLossesOfTargets));
  if (dataset.has_targets() && (options.loss.balances_classes || !options.loss.class_weights.empty()))
    throw ConfigError(fmt::format("network.class-weights needs classes ({} holds targets); leave it out",
                                  options.data.file));
  return dataset.classes();
}

nn::LossFunction loss_for(const data::Dataset& dataset, const config::Options& options) {
  const data::Split* split = dataset.split(data::names::kTrain);
  if (split == nullptr || dataset.has_targets()) return options.loss;
  return options.loss.balanced_for(split->labels(), dataset.classes());
}

namespace {

/// What a rank computes on, the same in all rounds.
struct Evaluated {
  step::Engine& engine;
  const step::Source& source;
  const model::State& state;
  io::IoThread* io_thread;
};

/// Evaluates micro-batches `block` of a streamed split. Each of the two read buffers holds about 16 MiB, and
/// at least one micro-batch per thread.
void evaluate_streamed(const Evaluated& of, const Range& block, std::span<step::MicroBatchResult> leaves,
                       std::span<float> outputs) {
  if (block.size() == 0) return;
  constexpr std::int64_t kBytes = std::int64_t{16} << 20;
  const std::int64_t micro_batch = of.engine.micro_batch();
  const data::Split& split = *of.source.split;
  const std::int64_t leaf_bytes = micro_batch * split.image_bytes();
  const std::int64_t at_once =
      std::min(std::max<std::int64_t>(kBytes / leaf_bytes, of.engine.threads()), block.size());
  const Range rows{block.begin * micro_batch, std::min(block.end * micro_batch, split.samples())};
  const std::size_t a_sample = outputs.size() / static_cast<std::size_t>(rows.size());
  const auto stream = data::stream_of_rows(split, *of.io_thread, rows, at_once * micro_batch);
  for (std::int64_t step = 0, begin = block.begin; begin < block.end; ++step, begin += at_once) {
    const Range piece{begin, std::min(begin + at_once, block.end)};
    const auto done = static_cast<std::size_t>(begin - block.begin);
    step::await_images(*stream, step, [&] { of.engine.tick(); });
    of.engine.evaluate(of.source, stream.get(), of.state, piece,
                       leaves.subspan(done, static_cast<std::size_t>(piece.size())),
                       outputs.subspan(done * static_cast<std::size_t>(micro_batch) * a_sample));
    stream->release(step);
  }
}

/// Micro-batches that all ranks together evaluate before rank 0 receives their outputs: all if nobody reads
/// them, else as many as give each rank 32 MiB of outputs.
std::int64_t leaves_at_once(std::int64_t leaves, std::int64_t leaf_outputs, int ranks) {
  constexpr std::int64_t kNumbers = std::int64_t{8} << 20;
  if (leaf_outputs == 0) return leaves;
  return std::min(leaves, std::max<std::int64_t>(kNumbers / leaf_outputs, 1) * ranks);
}

}  // namespace

void hand_over(const comm::Communicator& world, std::span<const float> mine, std::int64_t outputs,
               std::int64_t first, const OutputReader& read) {
  world.gather_in_turn(std::as_bytes(mine), [&](int, std::span<const std::byte> bytes) {
    const std::span all(reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float));
    if (!all.empty()) read(first, all);
    first += static_cast<std::int64_t>(all.size()) / outputs;
  });
}

Evaluation evaluate(step::Engine& engine, const comm::Communicator& world, const step::Source& source,
                    const model::State& state, io::IoThread* io_thread, const OutputReader& read) {
  Evaluation result;
  result.samples = source.split->samples();
  assert(result.samples > 0);
  const Evaluated of{.engine = engine, .source = source, .state = state, .io_thread = io_thread};
  const std::int64_t micro_batch = engine.micro_batch();
  const std::int64_t outputs = engine.outputs();
  const std::int64_t leaves = (result.samples + micro_batch - 1) / micro_batch;
  const std::int64_t at_once = leaves_at_once(leaves, read ? outputs * micro_batch : 0, world.size());

  std::vector<step::MicroBatchResult> results;
  for (std::int64_t begin = 0; begin < leaves; begin += at_once) {
    const Range part = comm::leaf_block(std::min(at_once, leaves - begin), world.size(), world.rank());
    const Range block{begin + part.begin, begin + part.end};
    std::vector<step::MicroBatchResult> mine(static_cast<std::size_t>(block.size()));
    const std::int64_t samples =
        std::min(block.end * micro_batch, result.samples) - block.begin * micro_batch;
    std::vector<float> values(read ? static_cast<std::size_t>(std::max<std::int64_t>(samples, 0) * outputs)
                                   : 0);
    if (source.split->is_streamed()) {
      evaluate_streamed(of, block, mine, values);
    } else {
      engine.evaluate(source, nullptr, state, block, mine, values);
    }
    for (const step::MicroBatchResult& leaf : world.all_gather_values(mine)) results.push_back(leaf);
    if (!read) continue;
    if (source.split->is_streamed()) io_thread->finish();  // it closes files; `read` may call libhdf5, too
    hand_over(world, values, outputs, begin * micro_batch, read);
  }
  const step::MicroBatchResult sum = comm::tree_sum(results);
  result.loss = sum.loss_sum / static_cast<double>(result.samples);
  result.squared_error = sum.squared_error_sum / static_cast<double>(result.samples);
  result.correct = sum.correct;
  result.correct_top5 = sum.correct_top5;
  return result;
}

}  // namespace convoy::train
