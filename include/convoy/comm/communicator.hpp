#pragma once
// MPI in one RAII layer. Only the sources of this room and of io (HDF5's MPI driver) may include mpi.h.
//
// Built without MPI (CONVOY_WITH_MPI=OFF), the same interface provides one rank.
// All ranks of the communicator must call every collective, in the same order; all collectives block. While
// one thread sends messages, another thread may call only the collectives that consist of messages:
// all_gather*, gather_in_turn, barrier. With MPI's own blocking collectives, Open MPI 4.1.4 over TCP lost
// messages and all ranks waited forever. Every MPI call is checked: a failure throws Error.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convoy::comm {

/// Calls MPI_Init_thread at construction, MPI_Finalize at destruction. One per process, created by `main` for
/// the commands that compute. Throws Error if the library lacks MPI_THREAD_MULTIPLE.
class Environment {
 public:
  Environment();
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  /// "Open MPI v4.1.4", "MPICH 4.0.2", or "none (built without MPI)".
  [[nodiscard]] static std::string library_version();
};

/// A group of ranks. Copies share the underlying communicator.
class Communicator {
 public:
  /// All ranks (a duplicate of MPI_COMM_WORLD). Precondition: an Environment exists.
  [[nodiscard]] static Communicator world();
  /// This process alone. Needs no Environment; does not start MPI.
  [[nodiscard]] static Communicator self();
  /// Collective over `mpi_comm`, an `MPI_Comm*` of a program that has initialised MPI itself: a duplicate, so
  /// that no message of the program mixes with Convoy's. Null: self(). Throws ConfigError if MPI is not
  /// initialised, is finalised already, or was initialised with less than MPI_THREAD_SERIALIZED, and in a
  /// build without MPI.
  [[nodiscard]] static Communicator duplicate_of(const void* mpi_comm);
  /// The same for a Fortran handle (MPI_Comm_f2c).
  [[nodiscard]] static Communicator duplicate_of_fortran(int mpi_comm);

  [[nodiscard]] int rank() const;
  [[nodiscard]] int size() const;
  [[nodiscard]] bool is_root() const { return rank() == 0; }

  /// Collective. Ranks with equal `colour` form a new communicator, ordered by their rank in this one.
  [[nodiscard]] Communicator split(int colour) const;
  /// Collective. The ranks on the same node as this rank (they share its memory).
  [[nodiscard]] Communicator node() const;

  /// Collective. The same ranks, renumbered so that the ranks of a node are consecutive. Returns this
  /// communicator if they are already.
  [[nodiscard]] Communicator by_node() const;

  void barrier() const;

  /// Collective. Broadcasts `bytes` from rank `root` to all ranks.
  void broadcast(std::span<std::byte> bytes, int root = 0) const;
  /// Collective. Broadcasts a string of any length from rank `root` to all ranks.
  [[nodiscard]] std::string broadcast(const std::string& text, int root = 0) const;
  /// Collective. Broadcasts one value of a trivially copyable type from rank `root` to all ranks.
  template <class T>
  [[nodiscard]] T broadcast_value(T value, int root = 0) const {
    broadcast(std::as_writable_bytes(std::span(&value, 1)), root);
    return value;
  }

  /// Collective. Returns every rank's `mine` (lengths may differ), concatenated in rank order, on every rank.
  [[nodiscard]] std::vector<std::byte> all_gather(std::span<const std::byte> mine) const;
  /// The same for values of a trivially copyable type.
  template <class T>
  [[nodiscard]] std::vector<T> all_gather_values(const std::vector<T>& mine) const {
    const std::vector<std::byte> bytes = all_gather(std::as_bytes(std::span(mine)));
    std::vector<T> values(bytes.size() / sizeof(T));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(values.data()));
    return values;
  }
  /// Collective. Rank 0 calls `use` with every rank's `mine` (each of any length below 2 GiB) in rank order
  /// and holds one of them at a time. Other ranks return when their `mine` is sent.
  void gather_in_turn(std::span<const std::byte> mine,
                      const std::function<void(int rank, std::span<const std::byte> bytes)>& use) const;
  /// Collective. Returns every rank's text, indexed by rank.
  [[nodiscard]] std::vector<std::string> all_gather_text(const std::string& mine) const;

  /// Collective. Gathers every rank's `mine`, of equal length on all ranks, in rank order. One call: no
  /// exchange of sizes.
  template <class T>
  void all_gather_equal(std::span<const T> mine, std::span<T> all) const {
    all_gather_equal_bytes(std::as_bytes(mine), std::as_writable_bytes(all));
  }

  /// The same. Calls `meanwhile` repeatedly until all ranks have arrived.
  template <class T>
  void all_gather_equal(std::span<const T> mine, std::span<T> all,
                        const std::function<void()>& meanwhile) const {
    all_gather_equal_bytes(std::as_bytes(mine), std::as_writable_bytes(all), meanwhile);
  }

  /// Collective. Assigns the sum of all ranks' `values` (MPI_Allreduce). MPI chooses the order of additions,
  /// so the bits are not reproducible.
  void add_over_all(std::span<float> values) const;

  /// Ends every rank of the job with `status`; does not return.
  [[noreturn]] static void abort(int status);

  /// The rank for which this rank waits in a collective of this communicator; −1: none or unknown. Any thread
  /// may call.
  [[nodiscard]] int waits_for() const;

  /// The MPI handle as `MPI_Comm*`, for the io room (HDF5's MPI driver). Null in a build without MPI or for
  /// self().
  [[nodiscard]] const void* native_handle() const;

  struct Impl;
  explicit Communicator(std::shared_ptr<Impl> impl) : impl_(std::move(impl)), gatherer_(make_gatherer()) {}

 private:
  struct Gatherer;
  static std::shared_ptr<Gatherer> make_gatherer();
  /// Collective. Returns when all ranks have arrived.
  void meet() const;
  void all_gather_equal_bytes(std::span<const std::byte> mine, std::span<std::byte> all) const {
    all_gather_equal_bytes(mine, all, {});
  }
  void all_gather_equal_bytes(std::span<const std::byte> mine, std::span<std::byte> all,
                              const std::function<void()>& meanwhile) const;

  std::shared_ptr<Impl> impl_;
  std::shared_ptr<Gatherer> gatherer_;
};

/// One memory segment per rank of a node; all ranks of the node can access all segments. Sizes may differ.
/// The initial content is unspecified.
class NodeSegments {
 public:
  /// Collective over `node` (made by Communicator::node(), or a single rank).
  NodeSegments(const Communicator& node, std::int64_t bytes);
  ~NodeSegments();
  NodeSegments(NodeSegments&&) noexcept;
  NodeSegments& operator=(NodeSegments&&) noexcept;

  /// The segment of node rank `rank`, 64-byte aligned. Writers and readers synchronise with atomics in the
  /// segment.
  [[nodiscard]] std::span<std::byte> of(int rank) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Memory that the ranks of one node share, allocated once.
class NodeSharedMemory {
 public:
  /// Collective over `node` (from Communicator::node()). Precondition: `bytes` is equal on all ranks.
  NodeSharedMemory(const Communicator& node, std::int64_t bytes)
      : node_(node), segments_(node, node.is_root() ? bytes : 0) {}

  /// The shared bytes, 64-byte aligned. Writers and readers synchronise with fence().
  [[nodiscard]] std::span<std::byte> bytes() const { return segments_.of(0); }
  /// Collective. All writes before fence() are visible to all ranks after it.
  void fence() const;

 private:
  Communicator node_;
  NodeSegments segments_;
};

/// Host name of this process.
[[nodiscard]] std::string host_name();
/// "rank 3 on node7", for messages; `hosts` by rank.
[[nodiscard]] std::string rank_on_host(int rank, const std::vector<std::string>& hosts);

}  // namespace convoy::comm
