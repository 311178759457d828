#include <mpi.h>

#include <chrono>
#include <thread>
#include <utility>

#include "convoy/comm/rendezvous.hpp"
#include "convoy/core/error.hpp"
#include "messages.hpp"

namespace convoy::comm {

bool meet(const Communicator& communicator, double seconds) {
  if (communicator.size() == 1) return true;
  const auto check = [](int code) {
    if (code != MPI_SUCCESS)
      throw Error(ExitStatus::kStalled, "MPI failed while the ranks met at the job's end");
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  MPI_Request request = MPI_REQUEST_NULL;
  {
    const std::scoped_lock alone(one_thread_in_mpi());
    check(MPI_Ibarrier(*static_cast<const MPI_Comm*>(communicator.native_handle()), &request));
  }
  while (true) {
    int is_complete = 0;
    {
      const std::scoped_lock alone(one_thread_in_mpi());
      check(MPI_Test(&request, &is_complete, MPI_STATUS_IGNORE));
    }
    if (is_complete != 0) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Does not lock one_thread_in_mpi(): a stuck thread may hold it.
std::vector<int> unresponsive_ranks(const Communicator& communicator, double seconds) {
  constexpr int kReach = 32;
  const auto* handle = static_cast<const MPI_Comm*>(communicator.native_handle());
  if (handle == nullptr) return {};
  const int size = communicator.size();
  struct Other {
    int rank = 0;
    char received = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    int has_come = 0;
  };
  static constexpr char kHere = 1;
  std::vector<Other> others;
  for (int distance = 1; distance < size; ++distance)
    if (distance <= kReach || size - distance <= kReach)
      others.push_back({.rank = (communicator.rank() + distance) % size});
  for (Other& other : others) {  // `others` must not be resized from here on: MPI writes to its elements
    MPI_Request sent = MPI_REQUEST_NULL;
    if (MPI_Irecv(&other.received, 1, MPI_CHAR, other.rank, 0, *handle, &other.request) != MPI_SUCCESS ||
        MPI_Isend(&kHere, 1, MPI_CHAR, other.rank, 0, *handle, &sent) != MPI_SUCCESS)
      return {};
    MPI_Request_free(&sent);
  }
  std::vector<int> silent;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  do {
    silent.clear();
    for (Other& other : others) {
      if (other.has_come == 0) MPI_Test(&other.request, &other.has_come, MPI_STATUS_IGNORE);
      if (other.has_come == 0) silent.push_back(other.rank);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } while (!silent.empty() && std::chrono::steady_clock::now() < deadline);
  if (!silent.empty())
    // Deliberate leak: MPI may still write to the elements; the process is about to end.
    new std::vector<Other>(std::move(others));
  return silent;
}

}  // namespace convoy::comm
