#pragma once
// A team of threads that runs the same code on the same micro-batch (single program, multiple data).
//
// The training loop opens one parallel region per step and splits its threads into teams. All threads of a
// team call every kernel, and each computes its share. The barrier of a team of one returns at once, so a
// small network runs without forks, joins or barriers between layers, and a large one can use several threads
// per micro-batch.

#include <atomic>
#include <cstdint>

namespace convoy {

// The small functions here are always inlined, also in debug builds: kernels compiled for other instruction
// sets use them, and a shared copy could contain instructions that this machine lacks.

/// Half-open range of indices.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  [[nodiscard, gnu::always_inline]] std::int64_t size() const { return end - begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

/// Part `index` of `parts` of [0, count): contiguous parts in order; their sizes differ by at most one.
[[nodiscard, gnu::always_inline]] constexpr Range split(std::int64_t count, std::int64_t parts,
                                                        std::int64_t index) {
  const std::int64_t base = count / parts;
  const std::int64_t rest = count % parts;
  const std::int64_t begin = index * base + (index < rest ? index : rest);
  return {begin, begin + base + (index < rest ? 1 : 0)};
}

/// Barrier of a fixed number of threads. Spins briefly, then yields, so it also works with more threads than
/// cores. All writes before wait() are visible to all threads after it.
class Barrier {
 public:
  explicit Barrier(int threads) : threads_(threads) {}
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  /// Blocks until all threads have called it.
  void wait() noexcept;

 private:
  const int threads_;
  std::atomic<int> arrived_{0};
  std::atomic<std::uint32_t> generation_{0};
};

/// One thread's view of its team.
class Team {
 public:
  /// A team of one.
  Team() = default;
  /// Thread `index` of `size`; `barrier` must outlive the team and be constructed for `size` threads.
  Team(int index, int size, Barrier* barrier) : index_(index), size_(size), barrier_(barrier) {}

  [[nodiscard, gnu::always_inline]] int index() const { return index_; }
  [[nodiscard, gnu::always_inline]] int size() const { return size_; }

  /// This thread's contiguous share of [0, count).
  [[nodiscard, gnu::always_inline]] Range share(std::int64_t count) const {
    return split(count, size_, index_);
  }

  /// This thread's shares of two counts; together the threads cover every pair. The first count is cut into
  /// `parts` (at most size()), the second into size() / parts. Both shares of a surplus thread are empty.
  struct TwoShares {
    Range first, second;
  };
  [[nodiscard, gnu::always_inline]] TwoShares share_two_ways(std::int64_t first, std::int64_t parts,
                                                             std::int64_t second) const {
    const std::int64_t second_parts = size_ / parts;
    if (index_ >= parts * second_parts) return {};
    return {split(first, parts, index_ % parts), split(second, second_parts, index_ / parts)};
  }

  /// Waits for the whole team; every thread of the team must call it the same number of times.
  [[gnu::always_inline]] void barrier() const noexcept {
    if (size_ > 1) barrier_->wait();
  }

 private:
  int index_ = 0;
  int size_ = 1;
  Barrier* barrier_ = nullptr;
};

}  // namespace convoy
