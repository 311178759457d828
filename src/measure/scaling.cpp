#include "convoy/measure/scaling.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <memory>
#include <vector>

#include "convoy/comm/tree.hpp"
#include "convoy/core/aligned.hpp"
#include "convoy/core/integer.hpp"
#include "convoy/model/norm_sums.hpp"
#include "convoy/model/state.hpp"
#include "convoy/optim/optimizers.hpp"
#include "convoy/step/buckets.hpp"
#include "convoy/step/schedule.hpp"
#include "convoy/step/step_plan.hpp"

namespace convoy::measure {
namespace {

/// f of the node that sends the most.
std::int64_t most_partial_sums(const Job& job) {
  std::size_t most = 0;
  for (std::int64_t first = 0; first < job.ranks; first += job.ranks_a_host) {
    const std::int64_t last = std::min(first + job.ranks_a_host, job.ranks) - 1;
    const Range block{
        comm::leaf_block(job.leaves, static_cast<int>(job.ranks), static_cast<int>(first)).begin,
        comm::leaf_block(job.leaves, static_cast<int>(job.ranks), static_cast<int>(last)).end};
    most = std::max(most, comm::maximal_nodes(block, job.leaves).size());
  }
  return static_cast<std::int64_t>(most);
}

/// Simulates the schedule of one rank over several steps.
class Schedule {
 public:
  Schedule(const nn::Network& network, const step::Options& options, const Costs& costs, const Job& job)
      : options_(options),
        costs_(costs),
        job_(job),
        buckets_(step::plan_buckets(network, options.comm.bucket_bytes)),
        ranges_(passes::operation_ranges(network)),
        parts_(static_cast<double>(most_partial_sums(job))),
        layerwise_(job.ranks == 1
                       ? 1
                       : step::layerwise_micro_batches(network, options.micro_batch,
                                                       static_cast<int>(job.hosts()), options.comm)) {
    const std::int64_t mine = ceil_div(job.leaves, job.ranks);
    const std::int64_t groups = std::min(job.threads, mine);
    count_ = ceil_div(mine, groups);
    const std::int64_t smallest_team = job.threads / groups;
    team_ = static_cast<double>(smallest_team);
  }

  Prediction run() {
    constexpr int kSteps = 4;  // the last one is in steady state
    double begin = 0;
    for (int i = 0; i < kSteps; ++i) {
      begin = now_;
      computed_ = 0;
      step();
    }
    Prediction prediction{
        .step = now_ - begin, .compute = computed_, .communication = 0, .partial_sums = parts_};
    for (const step::Bucket& bucket : buckets_)
      prediction.communication += part_cost(bucket) + value_cost(bucket);
    return prediction;
  }

 private:
  enum class Stage { kWaiting, kReady, kParts, kValues, kDone };

  [[nodiscard]] double others() const {
    return static_cast<double>(job_.hosts() - 1) / static_cast<double>(job_.hosts());
  }
  [[nodiscard]] double transfer(double vectors, double bytes_a_number, const step::Bucket& bucket) const {
    if (job_.hosts() == 1) return 0;
    const double messages = vectors * static_cast<double>(job_.hosts() - 1);
    const double bytes = vectors * others() * static_cast<double>(bucket.elements.size()) * bytes_a_number;
    return costs_.link.latency + messages * costs_.link.gap + bytes / costs_.link.bytes_per_second;
  }
  [[nodiscard]] double part_cost(const step::Bucket& bucket) const {
    return transfer(parts_, static_cast<double>(comm::wire_bytes(options_.comm.wire)), bucket);
  }
  [[nodiscard]] double value_cost(const step::Bucket& bucket) const {
    const bool are_sums = !options_.comm.shards_optimizer;
    return transfer(1, are_sums ? static_cast<double>(comm::wire_bytes(options_.comm.wire)) : 4, bucket);
  }

  void compute(double seconds) {
    now_ += seconds;
    computed_ += seconds;
  }

  /// Bucket b's partial sums or values are ready to be sent.
  void queue(std::size_t b, Stage stage) {
    stages_[b] = stage;
    queued_[b] = now_;
    arrival_[b] = std::numeric_limits<double>::infinity();
    (stage == Stage::kParts ? parts_to_send_ : values_to_send_).push_back(b);
  }

  /// Starts all transfers that the link could start until now_: partial sums first, in order; then values,
  /// the latest bucket first.
  void transmit() {
    while (!parts_to_send_.empty() || !values_to_send_.empty()) {
      const bool are_parts = !parts_to_send_.empty();
      const std::size_t b = are_parts ? parts_to_send_.front() : values_to_send_.back();
      const double start = std::max(wire_free_, queued_[b]);
      if (start > now_) return;
      wire_free_ = start + (are_parts ? part_cost(buckets_[b]) : value_cost(buckets_[b]));
      arrival_[b] = wire_free_;
      are_parts ? parts_to_send_.pop_front() : values_to_send_.pop_back();
    }
  }

  /// Work of the first thread between two kernels.
  void poll() {
    for (bool moves = true; moves;) {
      moves = false;
      transmit();
      bool may_finish = true;  // sums finish in order, values in any order
      for (std::size_t b = first_open_; b < buckets_.size() && stages_[b] != Stage::kWaiting; ++b) {
        const double size = static_cast<double>(buckets_[b].elements.size());
        if (stages_[b] == Stage::kReady) {
          // Adds this rank's share of the gradients of the node's ranks.
          const double mates =
              static_cast<double>(job_.ranks_a_host - 1) / static_cast<double>(job_.ranks_a_host);
          if (job_.ranks > 1) compute(size * mates * costs_.add);
          queue(b, Stage::kParts);
          moves = true;
        } else if (stages_[b] == Stage::kParts && may_finish && arrival_[b] <= now_) {
          const double slice = size / static_cast<double>(job_.ranks);
          compute(slice * (parts_ * static_cast<double>(job_.hosts() - 1) * costs_.add + costs_.update));
          queue(b, Stage::kValues);
          moves = true;
        } else if (stages_[b] == Stage::kValues && arrival_[b] <= now_) {
          stages_[b] = Stage::kDone;
          moves = true;
        }
        may_finish = may_finish && stages_[b] > Stage::kParts;
      }
      while (first_open_ < buckets_.size() && stages_[first_open_] == Stage::kDone) ++first_open_;
    }
  }

  /// Advances time until bucket b is done; the thread has nothing to compute.
  void wait_for(std::size_t b) {
    poll();
    while (stages_[b] != Stage::kDone) {
      double next = wire_free_;
      for (std::size_t i = first_open_; i < buckets_.size(); ++i)
        if ((stages_[i] == Stage::kParts || stages_[i] == Stage::kValues) && arrival_[i] > now_)
          next = std::min(next, arrival_[i]);
      now_ = std::max(now_, next);
      poll();
    }
  }

  void step() {
    const auto operations = static_cast<int>(ranges_.size());
    const auto forward = [&](std::int64_t i, std::int64_t, int operation) {
      if (i == 0 && has_begun_) wait_for_operation(operation);
      if (has_begun_) poll();
      compute(costs_.micro_batch.forward[static_cast<std::size_t>(operation)] / team_);
    };
    const auto backward = [&](std::int64_t, std::int64_t, int operation) {
      compute(costs_.micro_batch.backward[static_cast<std::size_t>(operation)] / team_);
      if (has_begun_) poll();
    };
    const auto complete = [&](int operation) {
      if (operation + 1 == operations) begin_messages();
      if (options_.comm.overlap) ready(operation);
    };
    step::traverse(count_, layerwise_, operations, forward, backward, complete);
    if (!options_.comm.overlap) {
      for (int operation = operations; operation-- > 0;) ready(operation);
      for (std::size_t b = 0; b < buckets_.size(); ++b) wait_for(b);
    }
    poll();
  }

  /// The previous step's messages have arrived: the forward pass waited for them.
  void begin_messages() {
    stages_.assign(buckets_.size(), Stage::kWaiting);
    queued_.assign(buckets_.size(), 0);
    arrival_.assign(buckets_.size(), 0);
    first_open_ = 0;
    has_begun_ = true;
  }

  void ready(int operation) {
    for (std::size_t b = 0; b < buckets_.size(); ++b)
      if (buckets_[b].operation == operation) stages_[b] = Stage::kReady;
    poll();
  }

  void wait_for_operation(int operation) {
    const passes::OperationRanges& its = ranges_[static_cast<std::size_t>(operation)];
    for (std::size_t b = 0; b < buckets_.size(); ++b) {
      for (const Range& range : {its.parameters, its.statistics})
        if (range.begin < buckets_[b].elements.end && buckets_[b].elements.begin < range.end) wait_for(b);
    }
  }

  const step::Options& options_;
  const Costs& costs_;
  const Job& job_;
  std::vector<step::Bucket> buckets_;
  std::vector<passes::OperationRanges> ranges_;
  double parts_;
  std::int64_t layerwise_;
  std::int64_t count_ = 1;  // micro-batches per thread group
  double team_ = 1;

  double now_ = 0;
  double computed_ = 0;
  double wire_free_ = 0;
  bool has_begun_ = false;
  std::size_t first_open_ = 0;
  std::vector<Stage> stages_;
  std::vector<double> queued_;
  std::vector<double> arrival_;
  std::deque<std::size_t> parts_to_send_;
  std::deque<std::size_t> values_to_send_;
};

/// Time of the fastest of several laps.
template <class Work>
double fastest(double seconds, const Work& work) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  double best = 0;
  const Clock::time_point begin = Clock::now();
  for (int lap = 0; lap < 3 || since(begin) < seconds; ++lap) {
    const Clock::time_point start = Clock::now();
    work();
    const double took = since(start);
    best = lap == 0 ? took : std::min(best, took);
  }
  return best;
}

}  // namespace

Costs measure_costs(const nn::Network& network, const step::Options& options,
                    const BenchmarkSetting& setting) {
  Costs costs{
      .micro_batch = measure_micro_batch(network, options, setting), .add = 0, .update = 0, .link = {}};
  const auto size = static_cast<double>(network.gradient_size());
  AlignedBuffer<float> left(network.gradient_size());
  const AlignedBuffer<float> right(network.gradient_size());
  costs.add =
      fastest(setting.seconds, [&] { comm::add_node(options.comm.wire, left.span(), right.data()); }) / size;
  const std::unique_ptr<const optim::Optimizer> optimizer = optim::make_optimizer(options.optimizer);
  model::State state = model::make_state(network, optimizer.get());
  model::NormSums norms(*optimizer, state.parameter_ranges);
  const model::Update update{.optimizer = optimizer.get(),
                             .info = {.step = 1, .learning_rate = 0, .samples = 1},
                             .norms = &norms.norms()};
  costs.update = fastest(setting.seconds,
                         [&] {
                           norms.measure(update, right.data(), state);
                           update.apply({0, network.gradient_size()}, right.data(), state);
                         }) /
                 size;
  return costs;
}

Prediction predict(const nn::Network& network, const step::Options& options, const Costs& costs,
                   const Job& job) {
  return Schedule(network, options, costs, job).run();
}

}  // namespace convoy::measure
