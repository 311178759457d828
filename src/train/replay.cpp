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
#include "convoy/train/fit.hpp"
#include "preflight.hpp"
#include "resume.hpp"

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
        dataset_(options.data, world, {"train"}),
        network_(network_for(dataset_, options)),
        fit_(options, world, network_, training_source(dataset_, options.data), request.isa, no_hooks_) {}

  ReplayResult run() {
    ReplayResult result;
    result.isa = kernels::to_string(fit_.isa());
    io::agreed_at_root(world_, [&] {
      model::require_sound_checkpoint(request_.from);
      model::require_sound_checkpoint(request_.to);
    });
    io::agreed(world_, [&] {
      result.from = model::read_checkpoint_header(request_.from);
      result.to = model::read_checkpoint_header(request_.to);
      if (result.from.data_digest != dataset_.digest()) {
        result.other_data = dataset_.digest();
        return;
      }
      require_same_run(result.from, request_.from, options_, dataset_.digest());
      require_same_run(result.to, request_.to, options_, dataset_.digest());
      if (result.from.progress.step >= result.to.progress.step)
        throw ConfigError(
            fmt::format("--from {} is at step {}, --to {} at step {}; name the earlier one first",
                        request_.from, result.from.progress.step, request_.to, result.to.progress.step));
      fit_.go_on_from(result.from.progress);
      model::read_checkpoint_state(request_.from, network_, fit_.state());
    });
    if (!result.other_data.empty()) return result;
    repeat_until(result.to.progress.step);
    result.steps = result.to.progress.step - result.from.progress.step;
    result.differences = compare_with(result.to);
    return result;
  }

 private:
  void repeat_until(std::int64_t end) {
    io::IoThread io_thread;
    const std::unique_ptr<data::Stream> stream = fit_.feed(io_thread, end);
    const std::int64_t first = fit_.progress().step;
    fit_.step_runner().start_watchdog();
    while (fit_.progress().step < end) {
      const Fit::Update update = fit_.step(stream.get());
      if (fit_.verify_is_due(fit_.progress().step)) fit_.step_runner().verify();
      if (update.ends_epoch) fit_.end_epoch();
      if (request_.progress && world_.is_root()) request_.progress(fit_.progress().step - first, end - first);
    }
    fit_.step_runner().settle();
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
      number("epoch_loss_sum", header.progress.epoch_loss_sum, fit_.progress().epoch_loss_sum);
      number("epoch_correct", static_cast<double>(header.progress.epoch_correct),
             static_cast<double>(fit_.progress().epoch_correct));
      model::for_each_tensor(
          request_.to, network_, fit_.state(),
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
  data::Dataset dataset_;
  nn::Network network_;
  Fit fit_;
};

}  // namespace

ReplayResult replay(const config::Options& options, const comm::Communicator& world,
                    const ReplayRequest& request) {
  step::compare_across_ranks(world, {}, "build", step::build_digest(), step::kSameBuild);
  step::BatchPlan(options).require_work_for(world.size());
  return Replay(options, world.by_node(), request).run();
}

}  // namespace convoy::train
