#include "convoy/step/feed.hpp"

#include <algorithm>

#include "convoy/comm/tree.hpp"
#include "convoy/core/integer.hpp"
#include "convoy/core/text.hpp"
#include "convoy/step/batch_plan.hpp"
#include "convoy/step/cross_check.hpp"

namespace convoy::step {

std::unique_ptr<data::Stream> feed_training(const Options& options, const comm::Communicator& world,
                                            const data::Split& split, io::IoThread& io_thread,
                                            const StepsToFeed& steps) {
  const comm::Communicator node = world.node();
  const std::vector<int> node_peers = node.all_gather_values(std::vector{world.rank()});
  const std::int64_t samples = split.samples();
  const BatchPlan batches(options, samples);
  const int ranks = world.size();
  data::ReadPlan read_plan{.first_step = steps.first,
                           .end_step = steps.end,
                           .positions = samples,
                           .steps_per_pass = steps.per_epoch,
                           .batch = options.batch,
                           .most_in_portion = 0,
                           .order = {},
                           .wanted = {},
                           .most_wanted = 0};
  const data::SampleOrder order(split, options.data, options.seed, options.batch);
  read_plan.most_in_portion = order.most_in_portion();
  read_plan.order = [order](std::int64_t epoch) { return order.of(epoch); };
  read_plan.wanted = [=, is_verified = steps.is_verified](std::int64_t step) {
    const std::int64_t leaves = batches.micro_batches(batches.samples_of_step(step));
    std::vector<Range> wanted;
    for (const int rank : node_peers) {
      wanted.push_back(batches.positions(comm::leaf_block(leaves, ranks, rank)));
      const std::int64_t again =
          ranks > 1 && is_verified(step) ? leaf_to_check(leaves, step, ranks, (rank + 1) % ranks) : -1;
      if (again >= 0) wanted.push_back(batches.positions({again, again + 1}));
    }
    return wanted;
  };
  const std::int64_t most_leaves = ceil_div(batches.micro_batches(), ranks) + (ranks > 1 ? 1 : 0);
  read_plan.most_wanted =
      std::min(batches.positions({0, most_leaves}).end * node.size(), batches.most_samples());
  return std::make_unique<data::Stream>(split, io_thread, node, std::move(read_plan));
}

void await_images(data::Stream& stream, std::int64_t step, const std::function<void()>& tick,
                  const std::function<void()>& meanwhile) {
  std::int64_t seen = -1;
  stream.wait(step, [&] {
    if (meanwhile) meanwhile();
    const std::int64_t now = stream.progress();
    if (now != seen) tick();
    seen = now;
  });
}

}  // namespace convoy::step
