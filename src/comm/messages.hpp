#pragma once
// Nonblocking messages for the Reducer; private to the comm room.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "convoy/comm/communicator.hpp"

namespace convoy::comm {

/// Held around every call into MPI but those of a start and an end. The library allows any thread at any time
/// (MPI_THREAD_MULTIPLE), but Open MPI 4.1.4 over TCP loses messages where one thread waits, or connects,
/// while another tests: ranks then wait for ever. Nobody waits in MPI with it but for ranks that are known to
/// have come.
[[nodiscard]] std::mutex& one_thread_in_mpi();

/// A set of nonblocking sends and receives. Buffers must stay untouched until is_complete() is true; the
/// destructor waits for what is pending. Between two ranks, messages of one tag arrive in the order in which
/// they are sent and their receives posted.
class Exchange {
 public:
  explicit Exchange(const Communicator& communicator);
  ~Exchange();
  Exchange(Exchange&&) noexcept;
  Exchange& operator=(Exchange&&) noexcept;

  /// Nothing is sent or expected where `bytes` are none.
  void send(std::span<const std::byte> bytes, int to, int tag);
  void receive(std::span<std::byte> bytes, int from, int tag);
  /// Collective: `values` of all ranks are added, in whatever order MPI likes, and assigned on all of them.
  void add_over_all(std::span<float> values);
  /// True once every message posted so far has gone or come; then the set is empty again. Does not block;
  /// drives MPI.
  [[nodiscard]] bool is_complete();
  /// The other rank of the first message that is_complete() found pending; −1: there was none, or it is
  /// everybody's.
  [[nodiscard]] int pending_peer() const;

 private:
  struct Requests;
  std::unique_ptr<Requests> requests_;
};

}  // namespace convoy::comm
