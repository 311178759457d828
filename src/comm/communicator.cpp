// The part of the room that is common to the builds with and without MPI.

#include "convoy/comm/communicator.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <atomic>

namespace convoy::comm {

std::string Communicator::broadcast(const std::string& text, int root) const {
  const auto length = broadcast_value(static_cast<std::uint64_t>(text.size()), root);
  std::string received = rank() == root ? text : std::string(length, '\0');
  broadcast(std::as_writable_bytes(std::span(received)), root);
  return received;
}

std::vector<std::string> Communicator::all_gather_text(const std::string& mine) const {
  const std::vector<std::uint64_t> lengths =
      all_gather_values(std::vector{static_cast<std::uint64_t>(mine.size())});
  const std::vector<std::byte> joined = all_gather(std::as_bytes(std::span(mine)));
  std::vector<std::string> texts;
  const char* next = reinterpret_cast<const char*>(joined.data());
  for (const std::uint64_t each : lengths) {
    texts.emplace_back(next, each);
    next += each;
  }
  return texts;
}

void NodeSharedMemory::fence() const {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  node_.barrier();
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

std::string rank_on_host(int rank, const std::vector<std::string>& hosts) {
  return fmt::format("rank {} on {}", rank, hosts[static_cast<std::size_t>(rank)]);
}

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace convoy::comm
