#include "training_setup.hpp"

#include "convoy/step/batch_plan.hpp"
#include "convoy/step/consistency.hpp"
#include "convoy/train/evaluation.hpp"
#include "preflight.hpp"

namespace convoy::train {

TrainingSetup::TrainingSetup(const config::Options& all_options, const comm::Communicator& world,
                             const std::vector<std::string>& splits, kernels::Isa best,
                             const step::Hooks& hooks)
    : options(all_options),
      dataset(options.data, world, splits),
      network(dataset.shape(), options.layers, options.loss, outputs_for(dataset, options)),
      isa(step::lowest_isa(world, best)),
      source{.split = &training_split(dataset, options.data.file),
             .transform = dataset.transform(options.data.normalize),
             .augmentation = options.data.augment},
      step_runner(options, world, network, kernels::float_kernels(isa), source, hooks),
      steps_per_epoch(step::BatchPlan(options, source.split->samples()).steps_per_epoch()),
      schedule(options.schedule, options.epochs, steps_per_epoch),
      order(data::SampleOrder(*source.split, options.data, options.seed, options.batch)) {}

step::StepInput TrainingSetup::input_after(std::int64_t done, data::Stream* stream) const {
  return {.step = done,
          .epoch = order.epoch(),
          .batch = order.batch(done % steps_per_epoch, options.batch),
          .stream = stream,
          .learning_rate = schedule.rate(done),
          .verify_follows = false,
          .request = {}};
}

}  // namespace convoy::train
