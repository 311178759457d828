// The comm room with MPI. A communicator of one rank makes no MPI call, so that self() works without
// MPI_Init.

#include <fmt/core.h>
#include <mpi.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <limits>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/aligned.hpp"
#include "convoy/core/backoff.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/memory.hpp"
#include "convoy/core/text.hpp"
#include "messages.hpp"

namespace convoy::comm {
namespace {

/// Checks all MPI return codes.
void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw Error(ExitStatus::kStalled,
              fmt::format("{} failed ({}); look for a rank that ended before this one", call,
                          std::string(text.data(), static_cast<std::size_t>(length))));
}

int narrow(std::size_t count, const char* what) {
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw Error(
        ExitStatus::kUsage,
        fmt::format("{} of {} elements does not fit one MPI message (at most 2147483647)", what, count));
  }
  return static_cast<int>(count);
}

/// True if a destructor may make a collective call: MPI is initialised and no exception is in flight. After
/// an exception on one rank the job ends; waiting for the other ranks would hang.
bool may_call_collectively() {
  int finalized = 0;
  return std::uncaught_exceptions() == 0 && MPI_Finalized(&finalized) == MPI_SUCCESS && finalized == 0;
}

/// Settings for Open MPI's TCP transport, measured with 4.1.4 on two and four nodes at 400 Mbit/s to 10
/// Gbit/s. Settings of the user (mpirun --mca, environment) have priority.
void tune_open_mpi() {
  // Send, from the user's memory. By default the receiver requests a long message in pieces (PUT), and the
  // requests queue behind its own sends: two nodes that send to each other, as always here, then alternate.
  setenv("OMPI_MCA_btl_tcp_flags", "9", 0);
  // Send a slice of a bucket at once. A longer message is announced first, and the announcement, the answer
  // and the rest each wait in a queue.
  for (const char* limit : {"eager_limit", "rndv_eager_limit", "max_send_size"})
    setenv((std::string("OMPI_MCA_btl_tcp_") + limit).c_str(), "540672", 0);  // 512 KiB and headers
  // Messages cannot overtake data in a socket buffer, which the kernel would grow to megabytes.
  setenv("OMPI_MCA_btl_tcp_sndbuf", "131072", 0);
}

}  // namespace

Environment::Environment() {
  setenv("HWLOC_COMPONENTS", "-gl", 0);  // displays: hwloc would ask X or DNS at every start, for seconds
  tune_open_mpi();
  int provided = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_MULTIPLE) {
    throw Error(ExitStatus::kUsage,
                fmt::format("the MPI library gives thread level {}, Convoy needs MPI_THREAD_MULTIPLE (use an "
                            "MPI built with it; Debian's and Spack's are)",
                            provided));
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
}

Environment::~Environment() {
  MPI_Finalize();
}

std::mutex& one_thread_in_mpi() {
  static std::mutex mutex;
  return mutex;
}

std::string Environment::library_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  std::string version(text.data(), static_cast<std::size_t>(length));
  version.erase(std::min(version.find_first_of(",\n"), version.size()));
  std::ranges::replace(version, ':', ' ');  // MPICH returns "MPICH Version:\t4.0.2"
  std::vector<std::string> words = split_words(version);
  std::erase(words, "Version");
  return join(words, " ");
}

struct Communicator::Impl {
  MPI_Comm comm = MPI_COMM_NULL;  // null: self()
  int rank = 0;
  int size = 1;

  Impl() = default;
  explicit Impl(MPI_Comm owned) : comm(owned) {
    check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
    check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  }
  ~Impl() {
    if (comm != MPI_COMM_NULL && may_call_collectively()) MPI_Comm_free(&comm);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
};

Communicator Communicator::world() {
  MPI_Comm duplicate = MPI_COMM_NULL;
  check(MPI_Comm_dup(MPI_COMM_WORLD, &duplicate), "MPI_Comm_dup");
  return Communicator(std::make_shared<Impl>(duplicate));
}

Communicator Communicator::self() {
  return Communicator(std::make_shared<Impl>());
}

namespace {

/// Throws ConfigError unless the program can lend its MPI.
void require_usable_mpi() {
  int is_initialised = 0;
  int is_finalised = 0;
  int level = MPI_THREAD_SINGLE;
  check(MPI_Initialized(&is_initialised), "MPI_Initialized");
  check(MPI_Finalized(&is_finalised), "MPI_Finalized");
  if (is_initialised == 0 || is_finalised != 0)
    throw ConfigError(
        fmt::format("MPI is {}; pass a communicator between MPI_Init_thread and MPI_Finalize, or "
                    "none for this process alone",
                    is_initialised == 0 ? "not initialised" : "finalised already"));
  check(MPI_Query_thread(&level), "MPI_Query_thread");
  if (level < MPI_THREAD_SERIALIZED)
    throw ConfigError(
        "the program initialised MPI for one thread, Convoy sends from several (one at a time); call "
        "MPI_Init_thread with MPI_THREAD_SERIALIZED or MPI_THREAD_MULTIPLE");
}

}  // namespace

Communicator Communicator::duplicate_of(const void* mpi_comm) {
  if (mpi_comm == nullptr) return self();
  require_usable_mpi();
  const MPI_Comm lent = *static_cast<const MPI_Comm*>(mpi_comm);
  if (lent == MPI_COMM_NULL)
    throw ConfigError("the communicator is MPI_COMM_NULL; ranks outside the group must not call Convoy");
  MPI_Comm duplicate = MPI_COMM_NULL;
  check(MPI_Comm_dup(lent, &duplicate), "MPI_Comm_dup");
  return Communicator(std::make_shared<Impl>(duplicate));
}

Communicator Communicator::duplicate_of_fortran(int mpi_comm) {
  require_usable_mpi();
  const MPI_Comm comm = MPI_Comm_f2c(mpi_comm);
  return duplicate_of(&comm);
}

int Communicator::rank() const {
  return impl_->rank;
}
int Communicator::size() const {
  return impl_->size;
}

Communicator Communicator::split(int colour) const {
  if (impl_->comm == MPI_COMM_NULL) return *this;
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split(impl_->comm, colour, impl_->rank, &part), "MPI_Comm_split");
  return Communicator(std::make_shared<Impl>(part));
}

Communicator Communicator::node() const {
  if (impl_->comm == MPI_COMM_NULL) return *this;
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split_type(impl_->comm, MPI_COMM_TYPE_SHARED, impl_->rank, MPI_INFO_NULL, &part),
        "MPI_Comm_split_type");
  return Communicator(std::make_shared<Impl>(part));
}

Communicator Communicator::by_node() const {
  if (impl_->comm == MPI_COMM_NULL) return *this;
  const int first = node().broadcast_value(rank());
  std::vector<int> firsts(static_cast<std::size_t>(size()));
  all_gather_equal<int>(std::span<const int>(&first, 1), firsts);
  if (std::is_sorted(firsts.begin(), firsts.end())) return *this;
  MPI_Comm ordered = MPI_COMM_NULL;
  check(MPI_Comm_split(impl_->comm, 0, first, &ordered), "MPI_Comm_split");  // equal keys: ordered by rank
  return Communicator(std::make_shared<Impl>(ordered));
}

void Communicator::broadcast(std::span<std::byte> bytes, int root) const {
  if (size() == 1) return;
  meet();
  const std::scoped_lock alone(one_thread_in_mpi());
  check(MPI_Bcast(bytes.data(), narrow(bytes.size(), "a broadcast"), MPI_BYTE, root, impl_->comm),
        "MPI_Bcast");
}

std::vector<std::byte> Communicator::all_gather(std::span<const std::byte> mine) const {
  constexpr std::size_t kMostPadded = std::size_t{16} << 20;
  if (size() == 1) return {mine.begin(), mine.end()};
  std::vector<std::size_t> sizes(static_cast<std::size_t>(size()));
  const std::size_t my_size = mine.size();
  all_gather_equal(std::span(&my_size, 1), std::span(sizes));
  const std::size_t largest = *std::ranges::max_element(sizes);
  const std::size_t total = std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
  if (largest * sizes.size() <= std::max(kMostPadded, total)) {
    std::vector<std::byte> padded(largest);
    std::ranges::copy(mine, padded.begin());
    std::vector<std::byte> all(largest * sizes.size());
    all_gather_equal_bytes(padded, all);
    auto end = all.begin();
    for (std::size_t rank = 0; rank < sizes.size(); ++rank) {
      const auto from = all.begin() + static_cast<std::ptrdiff_t>(rank * largest);
      end = std::copy_n(from, sizes[rank], end);
    }
    all.erase(end, all.end());
    return all;
  }
  meet();
  narrow(total, "an all-gather");
  std::vector<int> counts(sizes.begin(), sizes.end());
  std::vector<int> offsets(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), 0);
  std::vector<std::byte> all(total);
  const std::scoped_lock alone(one_thread_in_mpi());
  check(MPI_Allgatherv(mine.data(), counts[static_cast<std::size_t>(rank())], MPI_BYTE, all.data(),
                       counts.data(), offsets.data(), MPI_BYTE, impl_->comm),
        "MPI_Allgatherv");
  return all;
}

void Communicator::add_over_all(std::span<float> values) const {
  if (size() == 1) return;
  check(MPI_Allreduce(MPI_IN_PLACE, values.data(), narrow(values.size(), "an all-reduce"), MPI_FLOAT, MPI_SUM,
                      impl_->comm),
        "MPI_Allreduce");
}

void Communicator::abort(int status) {
  MPI_Abort(MPI_COMM_WORLD, status);
  std::_Exit(status);
}

const void* Communicator::native_handle() const {
  return impl_->comm == MPI_COMM_NULL ? nullptr : &impl_->comm;
}

struct Exchange::Requests {
  MPI_Comm comm = MPI_COMM_NULL;
  std::vector<MPI_Request> requests;
  std::vector<int> peers;
  std::size_t done = 0;  // requests before this index are complete

  MPI_Request* post(int peer) {
    peers.push_back(peer);
    return &requests.emplace_back(MPI_REQUEST_NULL);
  }
};

Exchange::Exchange(const Communicator& communicator) : requests_(std::make_unique<Requests>()) {
  if (const void* handle = communicator.native_handle())
    requests_->comm = *static_cast<const MPI_Comm*>(handle);
}

Exchange::~Exchange() {
  // Buffers must outlive their pending messages: wait, unless an error is about to end the job.
  if (!requests_ || requests_->requests.empty() || !may_call_collectively()) return;
  try {
    for (Backoff backoff; !is_complete(); backoff.wait()) {
    }
  } catch (...) {  // MPI failed: the pending messages will never complete; a destructor must not throw
  }
}

Exchange::Exchange(Exchange&&) noexcept = default;
Exchange& Exchange::operator=(Exchange&&) noexcept = default;

void Exchange::send(std::span<const std::byte> bytes, int to, int tag) {
  if (bytes.empty()) return;
  const std::scoped_lock alone(one_thread_in_mpi());
  check(MPI_Isend(bytes.data(), narrow(bytes.size(), "a slice"), MPI_BYTE, to, tag, requests_->comm,
                  requests_->post(to)),
        "MPI_Isend");
}

void Exchange::receive(std::span<std::byte> bytes, int from, int tag) {
  if (bytes.empty()) return;
  const std::scoped_lock alone(one_thread_in_mpi());
  check(MPI_Irecv(bytes.data(), narrow(bytes.size(), "a slice"), MPI_BYTE, from, tag, requests_->comm,
                  requests_->post(from)),
        "MPI_Irecv");
}

void Exchange::add_over_all(std::span<float> values) {
  if (values.empty() || requests_->comm == MPI_COMM_NULL) return;
  const std::scoped_lock alone(one_thread_in_mpi());
  check(MPI_Iallreduce(MPI_IN_PLACE, values.data(), narrow(values.size(), "a bucket"), MPI_FLOAT, MPI_SUM,
                       requests_->comm, requests_->post(-1)),
        "MPI_Iallreduce");
}

bool Exchange::is_complete() {
  Requests& all = *requests_;
  while (all.done < all.requests.size()) {
    int is_done = 0;
    const std::scoped_lock alone(one_thread_in_mpi());
    check(MPI_Test(&all.requests[all.done], &is_done, MPI_STATUS_IGNORE), "MPI_Test");
    if (is_done == 0) return false;
    ++all.done;
  }
  all.requests.clear();
  all.peers.clear();
  all.done = 0;
  return true;
}

int Exchange::pending_peer() const {
  return requests_->done < requests_->peers.size() ? requests_->peers[requests_->done] : -1;
}

namespace {

IoError cannot_share(std::int64_t bytes) {
  return IoError(fmt::format(
      "cannot share {} among the ranks of {} (/dev/shm has {} left); enlarge it (docker "
      "--shm-size=4g, or mount -o remount,size=4g /dev/shm), or start one rank a node; images need less "
      "with data.cache = auto, or streamed with data.window = 8, gradients with comm.shared-memory = no",
      in_bytes(bytes), host_name(), in_bytes(free_shared_memory())));
}

}  // namespace

struct NodeSegments::Impl {
  AlignedBuffer<std::byte> alone;  // for a node with one rank
  MPI_Win window = MPI_WIN_NULL;
  std::vector<std::span<std::byte>> segments;
  ~Impl() {
    if (window != MPI_WIN_NULL && may_call_collectively()) {
      MPI_Win_unlock_all(window);
      MPI_Win_free(&window);
    }
  }
};

NodeSegments::NodeSegments(const Communicator& node, std::int64_t size) : impl_(new Impl) {
  if (node.size() == 1) {
    impl_->alone = AlignedBuffer<std::byte>::unspecified(size);
    impl_->segments.push_back(impl_->alone.span());
    return;
  }
  const MPI_Comm comm = *static_cast<const MPI_Comm*>(node.native_handle());
  // Put each rank's segment on its own pages, so that they are allocated near the rank that first writes
  // them.
  MPI_Info info = MPI_INFO_NULL;
  check(MPI_Info_create(&info), "MPI_Info_create");
  check(MPI_Info_set(info, "alloc_shared_noncontig", "true"), "MPI_Info_set");
  void* base = nullptr;
  constexpr auto kSlack = static_cast<MPI_Aint>(kAlignment);
  const int code = MPI_Win_allocate_shared(size + kSlack, 1, info, comm, &base, &impl_->window);
  MPI_Info_free(&info);
  if (code != MPI_SUCCESS) throw cannot_share(size);
  check(MPI_Win_lock_all(MPI_MODE_NOCHECK, impl_->window), "MPI_Win_lock_all");
  std::vector<std::int64_t> sizes = node.all_gather_values(std::vector{size});
  for (int rank = 0; rank < node.size(); ++rank) {
    const std::int64_t bytes = sizes[static_cast<std::size_t>(rank)];
    MPI_Aint segment = 0;
    int unit = 0;
    check(MPI_Win_shared_query(impl_->window, rank, &segment, &unit, &base), "MPI_Win_shared_query");
    auto room = static_cast<std::size_t>(segment);
    void* aligned = std::align(kAlignment, static_cast<std::size_t>(bytes), base, room);
    if (aligned == nullptr) throw cannot_share(bytes);
    impl_->segments.emplace_back(static_cast<std::byte*>(aligned), static_cast<std::size_t>(bytes));
  }
}

NodeSegments::~NodeSegments() = default;
NodeSegments::NodeSegments(NodeSegments&&) noexcept = default;
NodeSegments& NodeSegments::operator=(NodeSegments&&) noexcept = default;
std::span<std::byte> NodeSegments::of(int rank) const {
  return impl_->segments[static_cast<std::size_t>(rank)];
}

}  // namespace convoy::comm
