#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "convoy/comm/rendezvous.hpp"
#include "convoy/core/error.hpp"
#include "messages.hpp"

namespace convoy::comm {
namespace {

using Clock = std::chrono::steady_clock;

Clock::time_point after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

/// Tells the ranks within ±32 that this rank has come, and notices which of them have. Locks nothing.
class RollCall {
 public:
  explicit RollCall(const Communicator& communicator);
  /// Deliberate leak if a rank has not come: MPI may still write to its element; the process is about to end.
  ~RollCall() {
    if (!silent().empty()) static_cast<void>(others_.release());
  }
  RollCall(const RollCall&) = delete;
  RollCall& operator=(const RollCall&) = delete;

  /// False after an error of MPI.
  [[nodiscard]] bool works() const { return works_; }
  /// Asks MPI who has come since the last call.
  void update();
  /// In the order of their distance above this rank.
  [[nodiscard]] std::vector<int> silent() const { return ranks_with(0); }
  [[nodiscard]] std::vector<int> present() const { return ranks_with(1); }

 private:
  struct Other {
    int rank = 0;
    char received = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    int has_come = 0;
  };

  [[nodiscard]] std::vector<int> ranks_with(int has_come) const;

  std::unique_ptr<std::vector<Other>> others_ = std::make_unique<std::vector<Other>>();
  bool works_ = true;
};

RollCall::RollCall(const Communicator& communicator) {
  constexpr int kReach = 32;
  static constexpr char kHere = 1;
  const auto* handle = static_cast<const MPI_Comm*>(communicator.native_handle());
  if (handle == nullptr) return;
  const int size = communicator.size();
  for (int distance = 1; distance < size; ++distance)
    if (distance <= kReach || size - distance <= kReach)
      others_->push_back({.rank = (communicator.rank() + distance) % size});
  for (Other& other : *others_) {  // no element may be added from here on: MPI writes to them
    MPI_Request sent = MPI_REQUEST_NULL;
    works_ = MPI_Irecv(&other.received, 1, MPI_CHAR, other.rank, 0, *handle, &other.request) == MPI_SUCCESS &&
             MPI_Isend(&kHere, 1, MPI_CHAR, other.rank, 0, *handle, &sent) == MPI_SUCCESS;
    if (!works_) return;
    MPI_Request_free(&sent);
  }
}

void RollCall::update() {
  for (Other& other : *others_)
    if (other.has_come == 0) MPI_Test(&other.request, &other.has_come, MPI_STATUS_IGNORE);
}

std::vector<int> RollCall::ranks_with(int has_come) const {
  std::vector<int> ranks;
  for (const Other& other : *others_)
    if (other.has_come == has_come) ranks.push_back(other.rank);
  return ranks;
}

}  // namespace

Meeting meet(const Communicator& communicator, double seconds) {
  Meeting meeting{.is_complete = true, .first = communicator.rank()};
  if (communicator.size() == 1) return meeting;
  const auto check = [](bool works) {
    if (!works) throw Error(ExitStatus::kStalled, "MPI failed while the ranks met at the job's end");
  };
  const Clock::time_point deadline = after(seconds);
  MPI_Request request = MPI_REQUEST_NULL;
  std::unique_ptr<RollCall> roll;
  {
    const std::scoped_lock alone(one_thread_in_mpi());
    check(MPI_Ibarrier(*static_cast<const MPI_Comm*>(communicator.native_handle()), &request) == MPI_SUCCESS);
    roll = std::make_unique<RollCall>(communicator);
    check(roll->works());
  }
  while (true) {
    const bool is_last_look = Clock::now() >= deadline;
    {
      const std::scoped_lock alone(one_thread_in_mpi());
      int is_complete = 0;
      check(MPI_Test(&request, &is_complete, MPI_STATUS_IGNORE) == MPI_SUCCESS);
      meeting.is_complete = is_complete != 0;
      roll->update();
    }
    if (is_last_look || (meeting.is_complete && roll->silent().empty())) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (const int rank : roll->present()) meeting.first = std::min(meeting.first, rank);
  return meeting;
}

// Does not lock one_thread_in_mpi(): a stuck thread may hold it.
std::vector<int> unresponsive_ranks(const Communicator& communicator, double seconds) {
  RollCall roll(communicator);
  if (!roll.works()) return {};
  const Clock::time_point deadline = after(seconds);
  do {
    roll.update();
    if (roll.silent().empty()) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } while (Clock::now() < deadline);
  return roll.silent();
}

}  // namespace convoy::comm
