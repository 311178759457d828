#include "convoy/data/stream.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <numeric>
#include <set>
#include <span>
#include <stdexcept>
#include <utility>

#include "convoy/core/backoff.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/integer.hpp"
#include "images.hpp"
#include "split.hpp"

namespace convoy::data {
namespace {

constexpr std::int64_t kSlots = 2;

/// Samples that a node reads together.
struct Portion {
  std::int64_t number = 0;  ///< counted over all passes
  std::int64_t pass = 0;
  Range positions;                 ///< in the pass
  std::vector<std::int64_t> rows;  ///< samples, ascending; row i is image i of the slot
};

/// Progress of a node's ranks with a read buffer (slot): counters that only increase, over all its portions.
struct Slot {
  std::atomic<std::int64_t> filled;    ///< number of parts
  std::atomic<std::int64_t> released;  ///< number of ranks
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "shared by processes");
constexpr std::int64_t kHeadBytes = 64;
static_assert(kSlots * sizeof(Slot) <= kHeadBytes);

}  // namespace

struct Stream::Reading : io::IoThread::PollTask {
  Reading(const Split::Impl& of, io::IoThread& io, const comm::Communicator& ranks, ReadPlan what)
      : split(of),
        thread(io),
        node(ranks),
        read_plan(std::move(what)),
        slot_images(std::min(read_plan.most_in_portion,
                             (read_plan.most_in_portion / read_plan.batch + 2) * read_plan.most_wanted)),
        memory(node, kHeadBytes + kSlots * slot_images * split.image_bytes()),
        checksums(node, kSlots * slot_images),
        reader(std::make_shared<ImageReader>(split.layout, split.shape)),
        pass(read_plan.first_step / read_plan.steps_per_pass) {
    if (node.is_root()) new (memory.bytes().data()) std::array<Slot, kSlots>{};
    memory.fence();
  }

  // Called on the I/O thread.

  bool advance() noexcept override {
    if (has_failed) return false;
    try {
      if (at == nullptr && !begin_portion()) return false;
      if (!is_free(at->number)) return false;
      if (next == mine.end) {
        require_unchanged();
        slot(at->number).filled.fetch_add(1, std::memory_order_release);
        at = nullptr;
      } else {
        read_some_or_tell_why();
      }
      return true;
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      has_failed = true;
      return false;
    }
  }

  /// Prepares the next portion. Returns false if there is none.
  bool begin_portion() {
    const std::int64_t steps = read_plan.steps_per_pass;
    if (pass * steps >= read_plan.end_step) return false;
    if (order.samples.empty()) order = read_plan.order(pass);
    auto portion = std::make_unique<Portion>();
    portion->number = begun;
    portion->pass = pass;
    portion->positions = {portion_begin, order.portion_ends[portion_in_pass]};
    portion_begin = portion->positions.end;
    if (++portion_in_pass == order.portion_ends.size()) {
      add_wanted(*portion);
      order = {};
      ++pass;
      portion_in_pass = 0;
      portion_begin = 0;
    } else {
      add_wanted(*portion);
    }
    // Skip portions that a resumed run has already trained.
    if (is_past(*portion)) return begin_portion();
    mine = convoy::split(static_cast<std::int64_t>(portion->rows.size()), node.size(), node.rank());
    next = mine.begin;
    at = portion.get();
    ++begun;
    const std::lock_guard lock(mutex);
    portions.push_back(std::move(portion));
    return true;
  }

  [[nodiscard]] Range positions_of(std::int64_t step) const {
    const std::int64_t begin = step % read_plan.steps_per_pass * read_plan.batch;
    return {begin, std::min(begin + read_plan.batch, read_plan.positions)};
  }

  [[nodiscard]] bool is_past(const Portion& portion) const {
    const std::int64_t first_pass = read_plan.first_step / read_plan.steps_per_pass;
    return portion.pass == first_pass && portion.positions.end <= positions_of(read_plan.first_step).begin;
  }

  void add_wanted(Portion& portion) const {
    const std::int64_t before = portion.pass * read_plan.steps_per_pass;
    const std::int64_t first = before + portion.positions.begin / read_plan.batch;
    const std::int64_t last = before + (portion.positions.end - 1) / read_plan.batch;
    for (std::int64_t step = std::max(first, read_plan.first_step); step <= last && step < read_plan.end_step;
         ++step) {
      const Range all = positions_of(step);
      for (const Range& each : read_plan.wanted(step)) {
        const Range here{std::max(all.begin + each.begin, portion.positions.begin),
                         std::min(std::min(all.begin + each.end, all.end), portion.positions.end)};
        for (std::int64_t i = here.begin; i < here.end; ++i)
          portion.rows.push_back(order.samples[static_cast<std::size_t>(i)]);
      }
    }
    std::ranges::sort(portion.rows);
    portion.rows.erase(std::unique(portion.rows.begin(), portion.rows.end()), portion.rows.end());
    if (static_cast<std::int64_t>(portion.rows.size()) > slot_images)
      throw std::logic_error("a portion of more images than its slot holds");
  }

  /// If a file was changed in the meantime, throws that as the cause.
  void read_some_or_tell_why() {
    try {
      read_some();
    } catch (const DataError&) {
      require_unchanged();
      throw;
    } catch (const IoError&) {
      require_unchanged();
      throw;
    }
  }

  /// Reads this rank's images of one unit.
  void read_some() {
    const std::int64_t size = split.image_bytes();
    const auto sample = [&](std::int64_t i) { return at->rows[static_cast<std::size_t>(i)]; };
    const std::int64_t unit_end = *std::ranges::upper_bound(split.unit_ends, sample(next));
    touched.insert(piece_of(split.layout, split.layout.row(sample(next))).file);
    std::int64_t end = next + 1;
    while (end < mine.end && sample(end) < unit_end) ++end;
    const std::span<std::byte> read{images(at->number) + next * size,
                                    static_cast<std::size_t>((end - next) * size)};
    reader->read(
        std::span(at->rows).subspan(static_cast<std::size_t>(next), static_cast<std::size_t>(end - next)),
        read);
    const std::int64_t first = at->number % kSlots * slot_images;
    checksums.assign({first + next, first + end}, read, 1);
    next = end;
    parts_read.fetch_add(1, std::memory_order_relaxed);
  }

  /// A file changed in the meantime would yield other images, or zeros: libhdf5 does not detect it.
  void require_unchanged() {
    touched.insert(split.other_files.begin(), split.other_files.end());
    for (const std::string& file : touched)
      if (io::file_state(file) != split.states.at(file))
        throw DataError("data set " + file +
                        " was changed while the run read it (its size or time is not what it was); a run "
                        "needs the same data to its end: bring it back and go on from the last checkpoint");
    touched.clear();
  }

  // Called on both threads.

  [[nodiscard]] Slot& slot(std::int64_t number) const {
    return reinterpret_cast<Slot*>(memory.bytes().data())[number % kSlots];
  }
  [[nodiscard]] std::byte* images(std::int64_t number) const {
    return memory.bytes().data() + kHeadBytes + number % kSlots * slot_images * split.image_bytes();
  }
  [[nodiscard]] StreamedImage image(std::int64_t number, std::int64_t row) const {
    return {images(number) + row * split.image_bytes(), checksums.of(number % kSlots * slot_images + row)};
  }
  [[nodiscard]] bool is_free(std::int64_t number) const {
    return slot(number).released.load(std::memory_order_acquire) >= number / kSlots * node.size();
  }
  [[nodiscard]] bool is_filled(std::int64_t number) const {
    return slot(number).filled.load(std::memory_order_acquire) >= (number / kSlots + 1) * node.size();
  }

  // Called on the compute thread.

  /// Whether all portions of `step` are filled; if so, sets them active.
  bool find(std::int64_t step) {
    if (has_failed) {
      const std::lock_guard lock(mutex);
      std::rethrow_exception(failure);
    }
    const std::int64_t of = step / read_plan.steps_per_pass;
    const Range positions = positions_of(step);
    active.clear();
    const std::lock_guard lock(mutex);
    for (const auto& portion : portions) {
      if (portion->pass != of || portion->positions.begin >= positions.end) break;
      if (!is_filled(portion->number)) return false;
      active.push_back(portion.get());
      if (portion->positions.end >= positions.end) return true;
    }
    return false;
  }

  void release(std::int64_t step) {
    const std::int64_t of = step / read_plan.steps_per_pass;
    const std::int64_t end = positions_of(step).end;
    active.clear();
    const std::lock_guard lock(mutex);
    while (!portions.empty() && portions.front()->pass <= of &&
           (portions.front()->pass < of || portions.front()->positions.end <= end)) {
      slot(portions.front()->number).released.fetch_add(1, std::memory_order_release);
      portions.pop_front();
    }
  }

  const Split::Impl& split;
  io::IoThread& thread;
  comm::Communicator node;
  ReadPlan read_plan;
  std::int64_t slot_images;
  comm::NodeSharedMemory memory;  // array of Slot, then their images
  SampleChecksums checksums;      // of the images

  std::shared_ptr<ImageReader> reader;
  PassOrder order;  // of `pass`; empty until the pass's first portion
  std::int64_t pass;
  std::size_t portion_in_pass = 0;
  std::int64_t portion_begin = 0;
  std::int64_t begun = 0;
  const Portion* at = nullptr;    // the portion being read; owned by `portions`
  Range mine;                     // this rank's part of its rows
  std::int64_t next = 0;          // next row to read, in `mine`
  std::set<std::string> touched;  // files of the images read in this portion
  std::atomic<std::int64_t> parts_read{0};

  std::mutex mutex;
  std::deque<std::unique_ptr<Portion>> portions;  // begun and not released
  std::exception_ptr failure;
  std::atomic<bool> has_failed{false};
  std::vector<const Portion*> active;  // portions of the last step passed to wait()
};

Stream::Stream(const Split& split, io::IoThread& thread, const comm::Communicator& node, ReadPlan read_plan)
    : reading_(std::make_unique<Reading>(*split.impl_, thread, node, std::move(read_plan))) {
  thread.add(reading_.get());
}

Stream::~Stream() {
  reading_->thread.remove(reading_.get());
  // Its files are closed there, too: libhdf5 is for one thread at a time, and another stream may be reading.
  reading_->thread.post([files = std::move(reading_->reader)]() mutable { files.reset(); });
}

void Stream::wait(std::int64_t step, const std::function<void()>& meanwhile) {
  if (reading_->find(step)) return;
  const auto begin = std::chrono::steady_clock::now();
  for (Backoff backoff; !reading_->find(step); backoff.wait())
    if (meanwhile) meanwhile();
  seconds_waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void Stream::release(std::int64_t step) {
  reading_->release(step);
  reading_->thread.wake();
}

StreamedImage Stream::image(std::int64_t sample) const {
  for (const Portion* portion : reading_->active) {
    const auto found = std::ranges::lower_bound(portion->rows, sample);
    if (found != portion->rows.end() && *found == sample)
      return reading_->image(portion->number, found - portion->rows.begin());
  }
  throw std::logic_error(fmt::format("sample {} is not part of the step that is here", sample));
}

std::int64_t Stream::progress() const {
  std::int64_t sum = reading_->parts_read.load(std::memory_order_relaxed);
  for (std::int64_t i = 0; i < kSlots; ++i) sum += reading_->slot(i).filled.load(std::memory_order_relaxed);
  return sum;
}

std::int64_t Stream::buffer_bytes() const {
  return kSlots * reading_->slot_images * reading_->split.image_bytes();
}

std::unique_ptr<Stream> stream_of_rows(const Split& split, io::IoThread& thread, const Range& rows,
                                       std::int64_t batch) {
  const std::int64_t steps = ceil_div(rows.size(), batch);
  const auto order = [rows, batch](std::int64_t) {
    PassOrder pass;
    pass.samples.resize(static_cast<std::size_t>(rows.size()));
    std::iota(pass.samples.begin(), pass.samples.end(), rows.begin);
    for (std::int64_t end = batch; end < rows.size(); end += batch) pass.portion_ends.push_back(end);
    pass.portion_ends.push_back(rows.size());
    return pass;
  };
  return std::make_unique<Stream>(split, thread, comm::Communicator::self(),
                                  ReadPlan{.first_step = 0,
                                           .end_step = steps,
                                           .positions = rows.size(),
                                           .steps_per_pass = steps,
                                           .batch = batch,
                                           .most_in_portion = batch,
                                           .order = order,
                                           .wanted =
                                               [batch](std::int64_t) {
                                                 return std::vector{Range{0, batch}};
                                               },
                                           .most_wanted = batch});
}

}  // namespace convoy::data
