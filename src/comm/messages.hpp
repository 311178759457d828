#pragma once
// Nonblocking messages for the Reducer; private to the comm room.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "convoy/comm/communicator.hpp"

namespace convoy::comm {

/// Mutex held during every MPI call except those at the start and end of the job. MPI allows calls from any
/// thread at any time (MPI_THREAD_MULTIPLE), but Open MPI 4.1.4 over TCP loses messages if one thread waits
/// or connects while another tests: ranks then wait forever. While holding the mutex, a thread may block in
/// MPI only for ranks that are known to have arrived.
[[nodiscard]] std::mutex& one_thread_in_mpi();

/// A set of nonblocking sends and receives. Buffers must not be touched until is_complete() returns true; the
/// destructor waits for pending messages. Between two ranks, messages with equal tag match in the order of
/// the sends and of the posted receives.
class Exchange {
 public:
  explicit Exchange(const Communicator& communicator);
  ~Exchange();
  Exchange(Exchange&&) noexcept;
  Exchange& operator=(Exchange&&) noexcept;

  /// No-op if `bytes` is empty (for both functions).
  void send(std::span<const std::byte> bytes, int to, int tag);
  void receive(std::span<std::byte> bytes, int from, int tag);
  /// Collective. Assigns the sum of all ranks' `values` on every rank. MPI chooses the order of additions.
  void add_over_all(std::span<float> values);
  /// True if all messages posted so far are complete; the set is then empty. Does not block; drives MPI's
  /// progress.
  [[nodiscard]] bool is_complete();
  /// The peer of the first message that is_complete() found pending; −1: none, or a collective.
  [[nodiscard]] int pending_peer() const;

 private:
  struct Requests;
  std::unique_ptr<Requests> requests_;
};

}  // namespace convoy::comm
