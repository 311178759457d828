#include "replayed_run.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "convoy/comm/packer.hpp"
#include "convoy/core/error.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/samples/names.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/train/same_run.hpp"

namespace convoy::verify {
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

/// True if the steps depend on the evaluation after each epoch.
bool watches_evaluations(const config::Options& options) {
  return options.schedule.kind == optim::ScheduleKind::kPlateau;
}

std::vector<std::string> splits_for(const config::Options& options) {
  if (watches_evaluations(options)) return {"train", data::names::kEvaluated};
  return {"train"};
}

}  // namespace

ReplayedRun::ReplayedRun(const config::Options& options, const comm::Communicator& world, kernels::Isa isa,
                         model::Hashed hashed)
    : options_(options),
      world_(world.by_node()),
      dataset_(options.data, world_, splits_for(options)),
      network_(train::network_for(dataset_, options)),
      recorder_(hashed, world_, network_),
      hooks_(recorder_.hooks({})),
      fit_(options, world_, network_, train::training_source(dataset_, options.data), isa, hooks_) {
  if (const data::Split* split = dataset_.split(data::names::kEvaluated);
      watches_evaluations(options) && split != nullptr && split->samples() > 0)
    evaluated_ = step::Source{.split = split, .transform = fit_.source().transform};
}

void ReplayedRun::begin() {
  network_.initialise(options_.seed, fit_.state().parameters, fit_.state().statistics);
  world_.barrier();  // the ranks of a node may share these buffers
}

void ReplayedRun::begin(const model::CheckpointHeader& header, const std::string& checkpoint) {
  io::agreed(world_, [&] {
    fit_.go_on_from(header.progress);
    model::read_checkpoint_state(checkpoint, network_, fit_.state());
  });
}

void ReplayedRun::repeat_until(std::int64_t end, const Seen& seen) {
  io::IoThread io_thread;
  const std::unique_ptr<data::Stream> stream = fit_.feed(io_thread, end);
  fit_.step_runner().start_watchdog();
  while (fit_.progress().step < end) {
    const train::Fit::Update update = fit_.step(stream.get());
    if (fit_.verify_is_due(fit_.progress().step)) fit_.step_runner().verify();
    if (update.ends_epoch) {
      std::optional<train::Evaluation> result;
      if (evaluated_) {
        fit_.step_runner().settle();
        fit_.step_runner().enter(step::Phase::kEvaluation, fit_.progress().step);
        result = train::evaluate(fit_.step_runner().engine(), world_, *evaluated_, fit_.state(), &io_thread);
      }
      fit_.end_epoch(result);
    }
    std::vector<std::uint64_t> hashes;
    if (recorder_.what() != model::Hashed::kNone) {
      fit_.step_runner().settle();
      hashes = recorder_.finish(fit_.state(), fit_.step_runner().engine().threads());
    }
    seen(fit_.progress().step, hashes);
  }
  fit_.step_runner().settle();
}

std::vector<Difference> ReplayedRun::compare_with(const model::CheckpointHeader& header,
                                                  const std::string& checkpoint) {
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
    number("epoch_squared_error_sum", header.progress.epoch_squared_error_sum,
           fit_.progress().epoch_squared_error_sum);
    const optim::Plateau& plateau = header.progress.plateau;
    number("plateau_best", plateau.best, fit_.progress().plateau.best);
    number("plateau_bad_epochs", static_cast<double>(plateau.bad_epochs),
           static_cast<double>(fit_.progress().plateau.bad_epochs));
    number("epoch_correct", static_cast<double>(header.progress.epoch_correct),
           static_cast<double>(fit_.progress().epoch_correct));
    model::for_each_tensor(
        checkpoint, network_, fit_.state(),
        [&](const model::StoredTensor& stored, const Range& elements, const float* replayed) {
          compare(stored.path, elements, replayed, stored.values.data(), mine);
        });
  });
  return gathered(world_, mine);
}

std::vector<model::HashedPart> ReplayedRun::parts() {
  return model::hashed_parts(recorder_.what(), network_, fit_.state());
}

}  // namespace convoy::verify
