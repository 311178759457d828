#include <algorithm>

#include "convoy/comm/tree.hpp"
#include "convoy/core/integer.hpp"
#include "convoy/doctor/doctor.hpp"
#include "convoy/optim/optimizers.hpp"
#include "convoy/passes/workspace.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/buckets.hpp"
#include "convoy/step/step_plan.hpp"

namespace convoy::doctor {

Needs needs_of(const PlannedRun& run, int ranks, int hosts, int ranks_of_host, int threads,
               const data::NodeMemory& memory) {
  constexpr std::int64_t kFloatBytes = sizeof(float);
  constexpr std::int64_t kProgramBytes = 200'000'000;
  constexpr std::int64_t kHeaderBytes = 1 << 20;  // of a checkpoint, including provenance
  const config::Options& options = run.options;
  const std::int64_t gradient = run.network.gradient_size() * kFloatBytes;
  const auto states = static_cast<std::int64_t>(optim::make_optimizer(options.optimizer)->states().size());
  const std::int64_t optimizer = states * run.network.parameter_count() * kFloatBytes;

  const std::int64_t leaves = step::BatchPlan(options).micro_batches();
  const step::StepPlan plan = step::plan_step(leaves, comm::leaf_block(leaves, ranks, 0), threads);
  const auto groups = static_cast<std::int64_t>(plan.groups.size());
  std::int64_t in_hand = 1;  // micro-batches of a group
  if (groups > 0)
    in_hand = std::min(ceil_div(plan.block.size(), groups),
                       step::layerwise_micro_batches(run.network, options.micro_batch, hosts, options.comm));
  const passes::Workspace<float> workspace(
      run.network, kernels::float_kernels(kernels::supported_isas().back()).planner, options.micro_batch,
      {.threads = static_cast<int>(ceil_div(threads, std::max<std::int64_t>(groups, 1))),
       .precision = options.precision});

  Needs needs;
  needs.checkpoint_bytes = gradient + optimizer + kHeaderBytes;
  needs.files = options.keep + 1;
  const data::Footprint images = data::footprint(options.data, run.image_bytes, ranks_of_host, memory);
  const std::int64_t of_all_ranks = gradient + images.shared + ranks_of_host * images.per_rank;
  const std::int64_t slots = plan.slots * gradient;
  if (ranks_of_host > 1)
    needs.shared_bytes = images.shared + (options.comm.shared_memory ? gradient + ranks_of_host * slots : 0);
  needs.host_bytes =
      of_all_ranks + needs.checkpoint_bytes +
      ranks_of_host * (kProgramBytes + groups * in_hand * workspace.bytes() + slots + optimizer / ranks);
  return needs;
}

}  // namespace convoy::doctor
