#pragma once
// Progress of the buckets of a Reducer's steps; private to the comm room. Only counters: no messages, no
// memory of gradients.
//
// Buckets are numbered consecutively over all steps: number = step · buckets + bucket. At most two steps are
// in progress. A bucket passes the stages one by one; up to kFinished, buckets pass in order.

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace convoy::comm {

enum class Stage {
  kDone,         ///< not in progress; also the state before the first step
  kBegun,        ///< the step has begun
  kContributed,  ///< this rank's maximal nodes are complete
  kMerged,       ///< the nodes of this cluster node are added and being sent
  kFinished,     ///< this rank has received the sums of its slices and passed them to Finish
  kGathered      ///< this rank has received the values from other nodes
};

class BucketProgress {
 public:
  explicit BucketProgress(std::size_t buckets)
      : buckets_(static_cast<std::int64_t>(buckets)), stages_(2 * buckets), done_steps_(buckets) {}

  [[nodiscard]] std::int64_t buckets() const { return buckets_; }
  [[nodiscard]] std::int64_t step_of(std::int64_t number) const { return number / buckets_; }
  [[nodiscard]] int bucket_of(std::int64_t number) const { return static_cast<int>(number % buckets_); }
  /// Index of a bucket in progress in arrays of 2 · buckets entries.
  [[nodiscard]] std::size_t place_of(std::int64_t number) const {
    return static_cast<std::size_t>(number % (2 * buckets_));
  }
  /// Precondition: a bucket of the latest two steps.
  [[nodiscard]] Stage stage(std::int64_t number) const { return stages_[place_of(number)]; }

  /// As in Reducer. Any thread may call while no step begins.
  [[nodiscard]] bool is_done(int bucket) const { return is_done(bucket, begun_ - 1); }
  [[nodiscard]] bool may_begin() const {
    for (int bucket = 0; bucket < buckets_; ++bucket)
      if (!is_done(bucket)) return false;
    return true;
  }
  [[nodiscard]] bool is_idle() const { return done_.load(std::memory_order_acquire) == begun_end(); }

  /// One past the last number that has begun.
  [[nodiscard]] std::int64_t begun_end() const { return begun_ * buckets_; }
  /// The first number that is not contributed.
  [[nodiscard]] std::int64_t contributed_end() const { return contributed_; }
  /// The next number to merge and the next to finish.
  [[nodiscard]] std::int64_t next_to_merge() const { return merged_; }
  [[nodiscard]] std::int64_t next_to_finish() const { return finished_; }
  /// Whether this rank has contributed the next bucket to merge, and the bucket is done in the previous step.
  /// The second condition matters for a rank without micro-batches, which contributes without waiting.
  [[nodiscard]] bool may_merge() const {
    return merged_ < contributed_ && is_done(bucket_of(merged_), step_of(merged_));
  }
  [[nodiscard]] bool may_finish() const { return finished_ < merged_; }
  /// The first number that is not done; begun_end() if all are done.
  [[nodiscard]] std::int64_t oldest() const { return oldest_; }
  [[nodiscard]] std::int64_t moves() const { return moves_; }

  void begin() {
    assert(contributed_ == begun_end());
    assert(may_begin());
    for (std::int64_t number = begun_end(); number < begun_end() + buckets_; ++number)
      move(number, Stage::kDone, Stage::kBegun);
    ++begun_;
  }
  void contribute(int bucket) {
    assert(begun_ > 0);
    assert(bucket >= 0 && bucket < buckets_);
    move(begun_end() - buckets_ + bucket, Stage::kBegun, Stage::kContributed);
    while (contributed_ < begun_end() && stage(contributed_) == Stage::kContributed) ++contributed_;
  }
  void merge() {
    assert(may_merge());
    move(merged_++, Stage::kContributed, Stage::kMerged);
  }
  void finish() {
    assert(may_finish());
    move(finished_++, Stage::kMerged, Stage::kFinished);
  }
  void gather(std::int64_t number) { move(number, Stage::kFinished, Stage::kGathered); }
  void retire(std::int64_t number) {
    move(number, Stage::kGathered, Stage::kDone);
    done_steps_[static_cast<std::size_t>(bucket_of(number))].store(step_of(number) + 1,
                                                                   std::memory_order_release);
    done_.fetch_add(1, std::memory_order_release);
    while (oldest_ < finished_ && stage(oldest_) == Stage::kDone) ++oldest_;
  }

 private:
  /// Whether a bucket is done in the first `steps` steps.
  [[nodiscard]] bool is_done(int bucket, std::int64_t steps) const {
    return done_steps_[static_cast<std::size_t>(bucket)].load(std::memory_order_acquire) >= steps;
  }
  void move(std::int64_t number, [[maybe_unused]] Stage from, Stage to) {
    assert(stage(number) == from);
    stages_[place_of(number)] = to;
    ++moves_;
  }

  std::int64_t buckets_;
  std::vector<Stage> stages_;  // by place
  std::int64_t begun_ = 0;     // steps
  std::int64_t contributed_ = 0;
  std::int64_t merged_ = 0;
  std::int64_t finished_ = 0;
  std::int64_t oldest_ = 0;
  std::int64_t moves_ = 0;
  // By bucket: number of steps in which the bucket is done.
  std::vector<std::atomic<std::int64_t>> done_steps_;
  std::atomic<std::int64_t> done_{0};  // buckets
};

}  // namespace convoy::comm
