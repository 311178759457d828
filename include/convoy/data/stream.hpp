#pragma once
// Reads a split that stays in its files, ahead of the steps. The I/O threads of a node's ranks each read a
// part, into two buffers in memory shared by the ranks. One portion of the order is trained while the next is
// read. The caller decides the order of samples (order.hpp).

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

/// The samples that the ranks of a node need, and their order; equal on all these ranks. The functions are
/// called on the I/O thread.
struct ReadPlan {
  std::int64_t first_step = 0;  ///< the next step, from 0, counted over all passes
  std::int64_t end_step = 0;    ///< steps from here on are not read
  std::int64_t positions = 0;   ///< per pass
  std::int64_t steps_per_pass = 1;
  std::int64_t batch = 1;            ///< positions per step; the last step of a pass may have fewer
  std::int64_t most_in_portion = 1;  ///< samples
  std::function<PassOrder(std::int64_t pass)> order;
  /// The positions of step `step` that the node needs, relative to the step's first position; ranges may
  /// overlap.
  std::function<std::vector<Range>(std::int64_t step)> wanted;
  std::int64_t most_wanted = 1;  ///< most positions of a step
};

/// An image of a Stream, [C][H][W].
struct StreamedImage {
  const std::byte* bytes = nullptr;
  std::uint32_t checksum = 0;  ///< when it was read (Split::require_intact)
};

class Stream {
 public:
  /// Collective over `node`. Starts to read. All arguments passed by reference must outlive the Stream.
  Stream(const Split& split, io::IoThread& thread, const comm::Communicator& node, ReadPlan read_plan);
  /// Stops reading. Does not wait for other ranks. `thread` closes the files (IoThread::finish()).
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Waits until the images of `step` are available; calls `meanwhile` repeatedly. Precondition: steps in
  /// ascending order. Throws the IoError or DataError of reading, also if reading failed on another rank.
  void wait(std::int64_t step, const std::function<void()>& meanwhile = {});
  /// Releases the buffers of all steps up to `step` for this rank.
  void release(std::int64_t step);
  /// The image of a sample of the last step passed to wait(). Any thread may call.
  [[nodiscard]] StreamedImage image(std::int64_t sample) const;

  /// Increases while the node's ranks read. Any thread may call.
  [[nodiscard]] std::int64_t progress() const;
  /// Total seconds spent in wait().
  [[nodiscard]] double seconds_waited() const { return seconds_waited_; }
  /// Size of the node's buffers.
  [[nodiscard]] std::int64_t buffer_bytes() const;

 private:
  struct Reading;
  std::unique_ptr<Reading> reading_;
  double seconds_waited_ = 0;
};

/// For this rank only: samples `rows` in order, `batch` of them per step.
[[nodiscard]] std::unique_ptr<Stream> stream_of_rows(const Split& split, io::IoThread& thread,
                                                     const Range& rows, std::int64_t batch);

}  // namespace convoy::data
