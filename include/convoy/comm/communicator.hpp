#pragma once
// MPI in one RAII layer. Who may include mpi.h: this room's sources and io's (HDF5's MPI driver), nobody
// else.
//
// Built without MPI (CONVOY_WITH_MPI=OFF) the same interface is one rank; callers cannot tell.
// Every collective must be called by all ranks of the communicator, in the same order; all block. Beside a
// thread that sends messages, another one may call those alone that are made of messages too: all_gather*,
// gather_in_turn, barrier. MPI's own blocking calls there left messages lying with Open MPI 4.1.4 over TCP,
// and all ranks waited for ever. Every MPI call is checked: a failure throws Error.

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

/// MPI_Init_thread at construction, MPI_Finalize at destruction. One per process, made by `main` for the
/// commands that compute. Throws Error where the library lacks MPI_THREAD_MULTIPLE.
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
  /// All ranks (a duplicate of MPI_COMM_WORLD); an Environment must live.
  [[nodiscard]] static Communicator world();
  /// This process alone; needs no Environment, starts no MPI.
  [[nodiscard]] static Communicator self();

  [[nodiscard]] int rank() const;
  [[nodiscard]] int size() const;
  [[nodiscard]] bool is_root() const { return rank() == 0; }

  /// Collective. Ranks with equal `colour` form a new communicator, ordered by their rank in this one.
  [[nodiscard]] Communicator split(int colour) const;
  /// Collective. The ranks that share this rank's memory (its node).
  [[nodiscard]] Communicator node() const;

  /// Collective. The same ranks, numbered so that those of a node follow each other: this communicator where
  /// they do already.
  [[nodiscard]] Communicator by_node() const;

  void barrier() const;

  /// Collective. `bytes` of rank `root` to all.
  void broadcast(std::span<std::byte> bytes, int root = 0) const;
  /// Collective. A string of rank `root`, of any length, to all.
  [[nodiscard]] std::string broadcast(const std::string& text, int root = 0) const;
  /// Collective. One value of a trivially copyable type of rank `root` to all.
  template <class T>
  [[nodiscard]] T broadcast_value(T value, int root = 0) const {
    broadcast(std::as_writable_bytes(std::span(&value, 1)), root);
    return value;
  }

  /// Collective. Every rank's `mine` (any length each), concatenated in rank order, on every rank.
  [[nodiscard]] std::vector<std::byte> all_gather(std::span<const std::byte> mine) const;
  /// The same for values of a trivially copyable type.
  template <class T>
  [[nodiscard]] std::vector<T> all_gather_values(const std::vector<T>& mine) const {
    const std::vector<std::byte> bytes = all_gather(std::as_bytes(std::span(mine)));
    std::vector<T> values(bytes.size() / sizeof(T));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(values.data()));
    return values;
  }
  /// Collective. Rank 0 calls `use` with every rank's `mine` (any length below 2 GiB each) in rank order, and
  /// holds one of them at a time; the others return once theirs is sent.
  void gather_in_turn(std::span<const std::byte> mine,
                      const std::function<void(int rank, std::span<const std::byte> bytes)>& use) const;
  /// Collective. Every rank's text, by rank.
  [[nodiscard]] std::vector<std::string> all_gather_text(const std::string& mine) const;

  /// Collective. Every rank's `mine`, the same length on all, concatenated in rank order: one call, no sizes
  /// first.
  template <class T>
  void all_gather_equal(std::span<const T> mine, std::span<T> all) const {
    all_gather_equal_bytes(std::as_bytes(mine), std::as_writable_bytes(all));
  }

  /// Likewise; `meanwhile` is called over and over until everybody has come.
  template <class T>
  void all_gather_equal(std::span<const T> mine, std::span<T> all,
                        const std::function<void()>& meanwhile) const {
    all_gather_equal_bytes(std::as_bytes(mine), std::as_writable_bytes(all), meanwhile);
  }

  /// Collective. Assigns the sum of all ranks' `values`, in whatever order MPI adds (MPI_Allreduce): no bits
  /// to rely on.
  void add_over_all(std::span<float> values) const;

  /// Ends every rank of the job with `status`; does not return.
  [[noreturn]] static void abort(int status);

  /// The rank that this one waits for in a collective of this communicator, −1: none, or not known. Any
  /// thread.
  [[nodiscard]] int waits_for() const;

  /// The MPI handle as `MPI_Comm*` for the io room (HDF5's MPI driver); null in a build without MPI or for
  /// self().
  [[nodiscard]] const void* native_handle() const;

  struct Impl;
  explicit Communicator(std::shared_ptr<Impl> impl) : impl_(std::move(impl)), gatherer_(make_gatherer()) {}

 private:
  struct Gatherer;
  static std::shared_ptr<Gatherer> make_gatherer();
  /// Collective: returns when everybody has come.
  void meet() const;
  void all_gather_equal_bytes(std::span<const std::byte> mine, std::span<std::byte> all) const {
    all_gather_equal_bytes(mine, all, {});
  }
  void all_gather_equal_bytes(std::span<const std::byte> mine, std::span<std::byte> all,
                              const std::function<void()>& meanwhile) const;

  std::shared_ptr<Impl> impl_;
  std::shared_ptr<Gatherer> gatherer_;
};

/// A piece of memory of every rank of a node, each of its own size, which all ranks of the node see. Nothing
/// is said of what it holds at first.
class NodeSegments {
 public:
  /// Collective over `node` (made by Communicator::node(), or a single rank).
  NodeSegments(const Communicator& node, std::int64_t bytes);
  ~NodeSegments();
  NodeSegments(NodeSegments&&) noexcept;
  NodeSegments& operator=(NodeSegments&&) noexcept;

  /// The piece of `rank` of the node, 64-byte aligned. Writers and readers are kept apart by atomics in it.
  [[nodiscard]] std::span<std::byte> of(int rank) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Memory that the ranks of one node share: allocated once, seen by all of them.
class NodeSharedMemory {
 public:
  /// Collective over `node` (a communicator made by Communicator::node()); every rank names the same size.
  NodeSharedMemory(const Communicator& node, std::int64_t bytes)
      : node_(node), segments_(node, node.is_root() ? bytes : 0) {}

  /// The shared bytes, 64-byte aligned. Writers and readers are kept apart by fence().
  [[nodiscard]] std::span<std::byte> bytes() const { return segments_.of(0); }
  /// Collective. What any rank wrote before is visible to every rank after.
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
