#pragma once
// Images of a split that stays in its files: read ahead of the steps by the ranks' I/O threads, each a
// part, into two buffers in memory that the ranks of a node share. One portion of the order is being trained
// while the next is read. Which samples come when is the caller's (order.hpp); a Stream has them ready.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/team.hpp"
#include "convoy/data/order.hpp"
#include "convoy/io/io_thread.hpp"

namespace convoy::data {

/// What the ranks of a node need of a split, and when; the same on all of them. Called on the I/O thread.
struct ReadPlan {
  std::int64_t first_step = 0;  ///< the next one, from 0, counted through all passes
  std::int64_t end_step = 0;    ///< nothing is read for this one and later ones
  std::int64_t positions = 0;   ///< of a pass
  std::int64_t steps_per_pass = 1;
  std::int64_t batch = 1;            ///< positions of a step; the pass's last may have fewer
  std::int64_t most_in_portion = 1;  ///< samples
  std::function<PassOrder(std::int64_t pass)> order;
  /// Positions of step `step` that the node needs, counted from the step's first; they may overlap.
  std::function<std::vector<Range>(std::int64_t step)> wanted;
  std::int64_t most_wanted = 1;  ///< positions of any step
};

class Stream {
 public:
  /// Collective over `node`. Begins to read. All that is referred to must outlive it.
  Stream(const Split& split, io::IoThread& thread, const comm::Communicator& node, ReadPlan read_plan);
  /// Ends the reading; no other rank is waited for.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Waits until the images of `step` are here; `meanwhile` is called over and over. Steps come one after
  /// the other. Throws IoError and DataError as reading did, also where it failed on another rank.
  void wait(std::int64_t step, const std::function<void()>& meanwhile = {});
  /// This rank has done with `step`, and all before.
  void release(std::int64_t step);
  /// Of a sample of the last step that was waited for: [C][H][W]. Any thread.
  [[nodiscard]] const std::byte* image(std::int64_t sample) const;

  /// Grows as the node's ranks read. Any thread.
  [[nodiscard]] std::int64_t progress() const;
  /// Time that wait() took since the stream began.
  [[nodiscard]] double seconds_waited() const { return seconds_waited_; }
  /// Memory of the node that the buffers may take.
  [[nodiscard]] std::int64_t buffer_bytes() const;

 private:
  struct Reading;
  std::unique_ptr<Reading> reading_;
  double seconds_waited_ = 0;
};

}  // namespace convoy::data
