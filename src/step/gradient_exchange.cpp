#include "convoy/step/gradient_exchange.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>

#include "convoy/core/backoff.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/places.hpp"

namespace convoy::step {
namespace {

std::vector<Range> elements_of(const std::vector<Bucket>& buckets) {
  std::vector<Range> elements;
  for (const Bucket& bucket : buckets) elements.push_back(bucket.elements);
  return elements;
}

comm::ReducerOptions reducer_options(const CommOptions& options, std::int64_t parameters, bool needs_norms) {
  return {.reduction = options.reduction,
          .wire = options.wire,
          .exact_from = parameters,
          .memory = options.shared_memory ? comm::NodeMemory::kShared : comm::NodeMemory::kPrivate,
          .updates = options.shards_optimizer ? comm::Updates::kByOwners : comm::Updates::kEverywhere,
          .grain = optim::kNormBlock,
          .assignment = needs_norms ? comm::Assignment::kBeforeRelease : comm::Assignment::kInFinish};
}

bool uses_norms(const optim::Optimizer* optimizer) {
  return optimizer != nullptr && optimizer->uses_norms();
}

}  // namespace

GradientExchange::GradientExchange(const comm::Communicator& world, const nn::Network& network,
                                   const CommOptions& options, const ExchangeSetting& setting)
    : world_(world),
      buckets_(plan_buckets(network, options.bucket_bytes)),
      setting_(setting),
      overlaps_(options.overlap),
      parameters_(network.parameter_count()),
      wire_(options.wire),
      reducer_(comm::make_reducer(
          world, network.gradient_size(), elements_of(buckets_),
          reducer_options(options, network.parameter_count(), uses_norms(setting.optimizer)),
          [this](std::int64_t step, int bucket, const Range& elements, const float* sum) {
            take_sum(step, bucket, elements, sum);
          })),
      state_(model::make_state(network, setting.optimizer, reducer_->values(),
                               slices_of(reducer_->finishes(), parameters_),
                               slices_of({world.rank()}, parameters_))),
      arrived_(buckets_.size()),
      added_(buckets_.size()),
      places_(static_cast<std::size_t>(setting.threads)) {
  if (uses_norms(setting.optimizer)) norms_.emplace(make_norms());
  if (!setting.plans.empty()) plan_reducer(setting.plans);
  const std::vector<passes::OperationRanges> ranges = passes::operation_ranges(network);
  buckets_of_.resize(ranges.size());
  completed_by_.resize(ranges.size());
  for (std::size_t b = 0; b < buckets_.size(); ++b) {
    const Range& elements = buckets_[b].elements;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      for (const Range& range : {ranges[i].parameters, ranges[i].statistics})
        if (range.begin < elements.end && elements.begin < range.end)
          buckets_of_[i].push_back(static_cast<int>(b));
    }
    completed_by_[static_cast<std::size_t>(buckets_[b].operation)].push_back(static_cast<int>(b));
  }
}

GradientExchange::~GradientExchange() {
  if (!mover_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_one();
  mover_.join();
}

void GradientExchange::keep_moving() {
  // In this time, a 10 Gbit/s link carries 375 KB, which fits in the sockets' buffers; waking costs about 1 %
  // of a core.
  constexpr std::chrono::microseconds kNap{300};
  leave_first_place();
  std::unique_lock lock(mutex_);
  // Set by this thread: the starting thread may assign mover_ only after the first update here.
  mover_id_ = std::this_thread::get_id();
  std::int64_t seen = 0;
  while (true) {
    wake_.wait(lock,
               [this] { return is_ending_ || (steps_ > 0 && !reducer_->is_idle() && !has_failed_.load()); });
    if (is_ending_) return;
    if (advances_ == seen) guarded([this] { advance(); });  // otherwise a waiting thread progresses messages
    seen = advances_;
    lock.unlock();
    std::this_thread::sleep_for(kNap);
    lock.lock();
  }
}

std::vector<Range> GradientExchange::slices_of(const std::vector<int>& owners, std::int64_t end) const {
  std::vector<Range> ranges;
  for (std::size_t b = 0; b < buckets_.size(); ++b) {
    for (const int owner : owners) {
      const Range elements = reducer_->slice(static_cast<int>(b), owner);
      if (elements.size() > 0 && elements.begin < end) ranges.push_back(elements);
    }
  }
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
  std::vector<Range> joined;
  for (const Range& range : ranges) {
    if (!joined.empty() && joined.back().end == range.begin) {
      joined.back().end = range.end;
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

void GradientExchange::plan_reducer(const std::vector<const StepPlan*>& plans) {
  std::int64_t most = 0;
  std::vector<comm::Reducer::Layout> layouts;
  for (const StepPlan* plan : plans) {
    most = std::max(most, plan->slots);
    const auto is_same = [&](const comm::Reducer::Layout& each) { return each.leaves == plan->leaves; };
    if (std::ranges::any_of(layouts, is_same)) continue;  // the last step is a whole one
    comm::Reducer::Layout& layout = layouts.emplace_back();
    layout.leaves = plan->leaves;
    for (const StepPlan::Node& node : plan->nodes) layout.slots.push_back(node.slot);
  }
  reducer_->plan(most, layouts);
  for (std::int64_t i = 0; i < most; ++i) slots_.push_back(reducer_->slot(i));
}

GradientExchange::ExchangedNorms GradientExchange::make_norms() const {
  constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
  ExchangedNorms norms{.sums = model::NormSums(*setting_.optimizer, state_.parameter_ranges),
                       .owners = reducer_->finishes(),
                       .gradients = optim::Shard(slices_of(reducer_->finishes(), kAll)),
                       .measured = {},
                       .owned = {}};
  const auto blocks_of = [&](const std::vector<int>& owners) {
    std::vector<std::int64_t> numbers;
    for (const Range& slice : slices_of(owners, parameters_)) {
      const Range blocks = norms.sums.blocks_of(slice);
      for (std::int64_t block = blocks.begin; block < blocks.end; ++block) numbers.push_back(block);
    }
    return numbers;
  };
  norms.measured = blocks_of(norms.owners);
  for (int rank = 0; rank < world_.size(); ++rank) {
    norms.owned.push_back(blocks_of({rank}));
    norms.most_owned = std::max(norms.most_owned, norms.owned.back().size());
  }
  return norms;
}

void GradientExchange::begin(const StepPlan& plan, const optim::StepInfo& info, bool verify_follows) {
  // Wait for messages: a rank without computation may be ahead of its own messages.
  for (Backoff backoff; !reducer_->may_begin(); backoff.wait()) poll();
  {
    const std::lock_guard lock(mutex_);
    begin_step(plan, info, verify_follows);
  }
  if (!overlaps_ || reducer_->nodes() == 1) return;
  if (!mover_.joinable()) mover_ = std::thread([this] { keep_moving(); });
  wake_.notify_one();
}

void GradientExchange::begin_step(const StepPlan& plan, const optim::StepInfo& info, bool verify_follows) {
  plan_ = &plan;
  groups_ = static_cast<int>(plan.groups.size());
  threads_ = groups_ > 0 ? setting_.threads : 0;
  contributed_ = 0;
  holds_back_ = !overlaps_;
  for (std::size_t b = 0; b < buckets_.size(); ++b) {
    arrived_[b].store(0, std::memory_order_relaxed);
    added_[b].store(0, std::memory_order_relaxed);
  }
  for (Place& place : places_) place.next = 0;
  latest_[static_cast<std::size_t>(steps_ % 2)] = {info, verify_follows};
  if (verify_follows) hasher_.reset();
  ++steps_;
  reducer_->begin(plan.leaves);
}

void GradientExchange::end() {
  if (has_failed_.load()) {
    has_failed_.store(false);
    std::rethrow_exception(failure_);
  }
  if (needs_norms()) update_by_norms();
  if (!overlaps_) settle();
}

void GradientExchange::poll() {
  const std::lock_guard lock(mutex_);
  // Assigned by the thread that progresses messages.
  if (has_failed_.load()) std::rethrow_exception(failure_);
  if (steps_ > 0) advance();
}

void GradientExchange::advance() {
  ++advances_;
  while (!holds_back_.load() && contributed_.load() < buckets_.size() &&
         added_[contributed_.load()].load(std::memory_order_acquire) == threads_) {
    reducer_->contribute(static_cast<int>(contributed_.load()));
    ++contributed_;
  }
  const std::int64_t before = reducer_->moves();
  reducer_->poll();
  if (setting_.heartbeat != nullptr && reducer_->moves() != before) setting_.heartbeat->tick();
}

void GradientExchange::settle() {
  for (Backoff backoff; !reducer_->is_idle(); backoff.wait()) poll();
}

void GradientExchange::take_sum(std::int64_t step, int bucket, const Range& elements, const float* sum) {
  if (needs_norms()) {
    std::copy_n(sum, elements.size(), norms_->gradients.at(elements.begin));
    return;
  }
  const bool is_timed = setting_.profile != nullptr && setting_.profile->is_on();
  const Profile::Clock::time_point begin = is_timed ? Profile::Clock::now() : Profile::Clock::time_point();
  update_slice(step, bucket, elements, sum);
  if (is_timed && std::this_thread::get_id() != mover_id_)
    setting_.profile->move(0, Activity::kReduction, Activity::kOptimizer, Profile::Clock::now() - begin);
}

model::Update GradientExchange::update_of(std::int64_t step) const {
  return {.optimizer = setting_.optimizer,
          .info = latest_[static_cast<std::size_t>(step % 2)].info,
          .norms = needs_norms() ? &norms_->sums.norms() : nullptr};
}

void GradientExchange::update_slice(std::int64_t step, int bucket, const Range& elements, const float* sum) {
  update_of(step).apply(elements, sum, state_);
  const Range own = reducer_->slice(bucket, world_.rank());
  const bool is_own = own.size() > 0 && elements.begin <= own.begin && own.end <= elements.end;
  if (latest_[static_cast<std::size_t>(step % 2)].is_hashed && is_own) hash_slice(hasher_, own);
}

void GradientExchange::measure(int stage, const model::Update& update) {
  for (const std::int64_t block : norms_->measured) {
    const auto& [tensor, elements] = norms_->sums.blocks()[static_cast<std::size_t>(block)];
    update.measure(stage, tensor, elements, norms_->gradients.at(elements.begin), state_,
                   norms_->sums.squares(stage, block));
  }
}

void GradientExchange::update_by_norms() {
  const auto has_all_sums = [this] {
    const std::lock_guard lock(mutex_);
    return reducer_->has_all_sums();
  };
  for (Backoff backoff; !has_all_sums(); backoff.wait()) poll();
  model::NormSums& sums = norms_->sums;
  const std::int64_t step = steps_ - 1;
  const model::Update update = update_of(step);
  sums.restart();
  for (int stage = 0; stage < sums.stages(); ++stage) {
    measure(stage, update);
    const auto vectors = static_cast<std::size_t>(sums.vectors(stage));
    const std::size_t of_rank = norms_->most_owned * vectors;
    norms_->mine.resize(of_rank);
    norms_->all.resize(of_rank * static_cast<std::size_t>(world_.size()));
    auto to = norms_->mine.begin();
    for (const std::int64_t block : norms_->owned[static_cast<std::size_t>(world_.rank())])
      to = std::ranges::copy(sums.squares(stage, block), to).out;
    world_.all_gather_equal<double>(norms_->mine, norms_->all, [this] { poll(); });
    for (std::size_t rank = 0; rank < norms_->owned.size(); ++rank) {
      auto from = norms_->all.begin() + static_cast<std::ptrdiff_t>(rank * of_rank);
      for (const std::int64_t block : norms_->owned[rank]) {
        std::copy_n(from, vectors, sums.squares(stage, block).begin());
        from += static_cast<std::ptrdiff_t>(vectors);
      }
    }
    sums.finish(stage);
  }
  const std::lock_guard lock(mutex_);
  for (int bucket = 0; bucket < static_cast<int>(buckets_.size()); ++bucket) {
    for (const int owner : norms_->owners) {
      const Range slice = reducer_->slice(bucket, owner);
      if (slice.size() > 0) update_slice(step, bucket, slice, norms_->gradients.at(slice.begin));
    }
  }
  reducer_->release();
}

void GradientExchange::hash_slice(Hasher& hasher, const Range& elements) const {
  hasher.update(reducer_->values().data() + elements.begin,
                static_cast<std::size_t>(elements.size()) * sizeof(float));
}

void GradientExchange::verify() {
  settle();
  const std::vector<Digest> computed = world_.all_gather_values(std::vector{hasher_.digest()});
  // The first owner whose values differ on this rank, and the digest of this rank's values.
  struct Finding {
    int owner = -1;
    Digest held{};
  } mine;
  for (int owner = 0; owner < world_.size() && mine.owner < 0; ++owner) {
    Hasher hasher;
    for (std::size_t b = 0; b < buckets_.size(); ++b) {
      const Range elements = reducer_->slice(static_cast<int>(b), owner);
      if (elements.size() > 0) hash_slice(hasher, elements);
    }
    const Digest held = hasher.digest();
    if (held != computed[static_cast<std::size_t>(owner)]) mine = {owner, held};
  }
  const std::vector<Finding> all = world_.all_gather_values(std::vector{mine});
  const auto found = std::ranges::find_if(all, [](const Finding& each) { return each.owner >= 0; });
  if (found == all.end()) return;  // the same result on every rank
  const std::vector<std::string> hosts = world_.all_gather_text(comm::host_name());
  const int owner = found->owner;
  const auto holder = static_cast<int>(found - all.begin());
  throw DisagreementError("ranks disagree on the parameters (" + comm::rank_on_host(owner, hosts) +
                          " computed " + to_hex(computed[static_cast<std::size_t>(owner)]) + ", " +
                          comm::rank_on_host(holder, hosts) + " holds " + to_hex(found->held) +
                          "); a rank's memory or processor is at fault; resume from the last checkpoint on "
                          "other nodes");
}

template <class Function>
void GradientExchange::guarded(const Function& f) noexcept {
  if (has_failed_.load(std::memory_order_relaxed)) return;
  try {
    f();
  } catch (...) {
    failure_ = std::current_exception();
    has_failed_.store(true);
  }
}

void GradientExchange::before(int operation, int thread) noexcept {
  drive(thread);
  for (const int bucket : buckets_of_[static_cast<std::size_t>(operation)]) {
    for (Backoff backoff; !reducer_->is_done(bucket); backoff.wait()) {
      if (has_failed_.load()) return;
      help(thread);
    }
  }
}

void GradientExchange::after(int operation, int thread, bool is_first) noexcept {
  if (is_first) {
    for (const int bucket : completed_by_[static_cast<std::size_t>(operation)])
      arrived_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_release);
  }
  drive(thread);
}

void GradientExchange::finish(int thread) noexcept {
  const auto is_finished = [&] {
    return (threads_ == 0 || places_[static_cast<std::size_t>(thread)].next == buckets_.size()) &&
           (thread != 0 || contributed_ == buckets_.size());
  };
  if (thread == 0) holds_back_ = false;
  for (Backoff backoff; !is_finished() && !has_failed_.load(); backoff.wait()) {
    drive(thread);
    help(thread);
  }
}

void GradientExchange::add_share(std::size_t bucket, int thread) noexcept {
  const Range& elements = buckets_[bucket].elements;
  const Range share = split(elements.size(), threads_, thread);
  const auto at = [&](std::int64_t slot) {
    return slots_[static_cast<std::size_t>(slot)] + elements.begin + share.begin;
  };
  const comm::Wire wire = elements.begin < parameters_ ? wire_ : comm::Wire::kFloat32;
  for (const StepPlan::Merge& each : plan_->final_merges)
    add_gradients(setting_.kernels, wire, share.size(), at(each.left), at(each.right), Team());
}

void GradientExchange::drive(int thread) noexcept {
  if (threads_ > 0) {
    std::size_t& next = places_[static_cast<std::size_t>(thread)].next;
    while (next < buckets_.size() && arrived_[next].load(std::memory_order_acquire) == groups_) {
      add_share(next, thread);
      added_[next++].fetch_add(1, std::memory_order_acq_rel);
    }
  }
  if (!mover_.joinable()) help(thread);
}

void GradientExchange::help(int thread) noexcept {
  if (thread != 0 || holds_back_.load()) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock()) guarded([&] { advance(); });
}

}  // namespace convoy::step
