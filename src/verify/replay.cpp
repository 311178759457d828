#include "convoy/verify/replay.hpp"

#include <fmt/core.h>

#include "convoy/core/error.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/train/same_run.hpp"
#include "replayed_run.hpp"

namespace convoy::verify {

ReplayResult replay(const config::Options& options, const comm::Communicator& world,
                    const ReplayRequest& request) {
  step::compare_across_ranks(world, {}, "build", step::build_digest(), step::kSameBuild);
  step::BatchPlan(options).require_work_for(world.size());
  ReplayedRun run(options, world, request.isa, model::Hashed::kNone);
  ReplayResult result;
  result.isa = kernels::to_string(run.isa());
  io::agreed_at_root(run.world(), [&] {
    model::require_sound_checkpoint(request.from);
    model::require_sound_checkpoint(request.to);
  });
  io::agreed(run.world(), [&] {
    result.from = model::read_checkpoint_header(request.from);
    result.to = model::read_checkpoint_header(request.to);
    const std::string digest = run.dataset().digest();
    if (result.from.data_digest != digest) {
      result.other_data = digest;
      return;
    }
    train::require_same_run(result.from, request.from, options, digest);
    train::require_same_run(result.to, request.to, options, digest);
    if (result.from.progress.step >= result.to.progress.step)
      throw ConfigError(fmt::format("--from {} is at step {}, --to {} at step {}; name the earlier one first",
                                    request.from, result.from.progress.step, request.to,
                                    result.to.progress.step));
  });
  if (!result.other_data.empty()) return result;
  run.begin(result.from, request.from);
  const std::int64_t first = result.from.progress.step;
  result.steps = result.to.progress.step - first;
  run.repeat_until(result.to.progress.step, [&](std::int64_t step, std::span<const std::uint64_t>) {
    if (request.progress && run.world().is_root()) request.progress(step - first, result.steps);
  });
  result.differences = run.compare_with(result.to, request.to);
  return result;
}

}  // namespace convoy::verify
