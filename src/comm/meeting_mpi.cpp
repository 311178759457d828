#include <mpi.h>

#include <chrono>
#include <thread>

#include "convoy/comm/meeting.hpp"
#include "convoy/core/error.hpp"

namespace convoy::comm {

bool meet(const Communicator& communicator, double seconds) {
  if (communicator.size() == 1) return true;
  const auto check = [](int code) {
    if (code != MPI_SUCCESS)
      throw Error(ExitStatus::kStalled, "MPI failed while the ranks met at the job's end");
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Ibarrier(*static_cast<const MPI_Comm*>(communicator.native_handle()), &request));
  while (true) {
    int is_complete = 0;
    check(MPI_Test(&request, &is_complete, MPI_STATUS_IGNORE));
    if (is_complete != 0) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace convoy::comm
