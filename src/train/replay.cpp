#include "convoy/train/replay.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "convoy/comm/packer.hpp"
#include "convoy/core/error.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/step/feed.hpp"
#include "convoy/train/evaluation.hpp"
#include "preflight.hpp"
#include "resume.hpp"
#include "training_setup.hpp"

namespace convoy::train {
namespace {

bool has_same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}
bool has_same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

/// Compares one tensor: `held` has the replayed values of its `elements`, `stored` all values of the file.
void compare(const std::string& path, const Range& elements, const float* held, const float* stored,
             std::vector<Difference>& differences) {
  Difference difference{.path = path};
  for (std::int64_t i = elements.begin; i < elements.end; ++i) {
    const float mine = held[i - elements.begin];
    if (has_same_bits(mine, stored[i])) continue;
    if (difference.count++ == 0) {
      difference.first = i;
      difference.in_file = stored[i];
      difference.replayed = mine;
    }
  }
  if (difference.count > 0) differences.push_back(difference);
}

/// Merges the differences of all ranks, one entry per tensor; each rank holds a part of the optimizer's
/// state.
std::vector<Difference> gathered(const comm::Communicator& world, const std::vector<Difference>& mine) {
  comm::Packer packer;
  for (const Difference& each : mine) {
    packer.put_text(each.path);
    packer.put(each.count);
    packer.put(each.first);
    packer.put(each.in_file);
    packer.put(each.replayed);
  }
  std::vector<Difference> all;
  for (const std::string& of_rank : world.all_gather_text(packer.message())) {
    for (comm::Unpacker from(of_rank); !from.is_at_end();) {
      Difference found;
      found.path = from.get_text();
      found.count = from.get<std::int64_t>();
      found.first = from.get<std::int64_t>();
      found.in_file = from.get<double>();
      found.replayed = from.get<double>();
      const auto known = std::ranges::find(all, found.path, &Difference::path);
      if (known == all.end()) {
        all.push_back(found);
      } else if (found.count > known->count) {
        *known = found;
      }
    }
  }
  return all;
}

class Replay {
 public:
  Replay(const config::Options& options, const comm::Communicator& world, const ReplayRequest& request)
      : options_(options),
        world_(world),
        request_(request),
        setup_(options, world, {"train"}, request.isa, no_hooks_) {}

  ReplayResult run() {
    ReplayResult result;
    result.isa = kernels::to_string(setup_.isa);
    io::agreed_at_root(world_, [&] {
      model::require_sound_checkpoint(request_.from);
      model::require_sound_checkpoint(request_.to);
    });
    io::agreed(world_, [&] {
      result.from = model::read_checkpoint_header(request_.from);
      result.to = model::read_checkpoint_header(request_.to);
      if (result.from.data_digest != setup_.dataset.digest()) {
        result.other_data = setup_.dataset.digest();
        return;
      }
      require_same_run(result.from, request_.from, options_, setup_.dataset.digest());
      require_same_run(result.to, request_.to, options_, setup_.dataset.digest());
      if (result.from.progress.step >= result.to.progress.step)
        throw ConfigError(
            fmt::format("--from {} is at step {}, --to {} at step {}; name the earlier one first",
                        request_.from, result.from.progress.step, request_.to, result.to.progress.step));
      progress_ = result.from.progress;
      model::read_checkpoint_state(request_.from, setup_.network, setup_.step_runner.state());
    });
    if (!result.other_data.empty()) return result;
    repeat_until(result.to.progress.step);
    result.steps = result.to.progress.step - result.from.progress.step;
    result.differences = compare_with(result.to);
    return result;
  }

 private:
  [[nodiscard]] bool is_verified(std::int64_t step) const { return (step + 1) % setup_.steps_per_epoch == 0; }

  void repeat_until(std::int64_t end) {
    io::IoThread io_thread;
    std::unique_ptr<data::Stream> stream;
    if (setup_.source.split->is_streamed()) {
      stream = step::feed_training(options_, world_, *setup_.source.split, io_thread,
                                   {.first = progress_.step,
                                    .end = end,
                                    .per_epoch = setup_.steps_per_epoch,
                                    .is_verified = [this](std::int64_t step) { return is_verified(step); }});
    }
    const std::int64_t first = progress_.step;
    setup_.step_runner.start_watchdog();
    while (progress_.step < end) {
      const std::int64_t epoch = progress_.step / setup_.steps_per_epoch;
      (void)setup_.order.begin_epoch(epoch);
      const bool is_checked = is_verified(progress_.step);
      step::StepInput input = setup_.input_after(progress_.step, stream.get());
      input.verify_follows = is_checked;
      const step::MicroBatchResult sum = setup_.step_runner.step(input);
      progress_.add_step(static_cast<std::int64_t>(input.batch.size()), sum);
      if (is_checked) setup_.step_runner.verify();
      if (progress_.step % setup_.steps_per_epoch == 0) progress_.end_epoch(epoch);
      if (request_.progress && world_.is_root()) request_.progress(progress_.step - first, end - first);
    }
    setup_.step_runner.settle();
  }

  /// Collective.
  std::vector<Difference> compare_with(const model::CheckpointHeader& header) {
    std::vector<Difference> mine;
    io::agreed(world_, [&] {
      const auto number = [&](const char* name, double in_file, double replayed) {
        if (!has_same_bits(in_file, replayed))
          mine.push_back({.path = std::string("/progress/") + name,
                          .count = 1,
                          .first = 0,
                          .in_file = in_file,
                          .replayed = replayed});
      };
      number("epoch_loss_sum", header.progress.epoch_loss_sum, progress_.epoch_loss_sum);
      number("epoch_correct", static_cast<double>(header.progress.epoch_correct),
             static_cast<double>(progress_.epoch_correct));
      model::for_each_tensor(
          request_.to, setup_.network, setup_.step_runner.state(),
          [&](const model::StoredTensor& stored, const Range& elements, const float* replayed) {
            compare(stored.path, elements, replayed, stored.values.data(), mine);
          });
    });
    return gathered(world_, mine);
  }

  const config::Options& options_;
  comm::Communicator world_;
  const ReplayRequest& request_;
  const step::Hooks no_hooks_;
  TrainingSetup setup_;
  model::Progress progress_;
};

}  // namespace

ReplayResult replay(const config::Options& options, const comm::Communicator& world,
                    const ReplayRequest& request) {
  step::compare_across_ranks(world, {}, "build", step::build_digest(), step::kSameBuild);
  step::BatchPlan(options).require_work_for(world.size());
  return Replay(options, world.by_node(), request).run();
}

}  // namespace convoy::train
