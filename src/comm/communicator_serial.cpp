// The comm room of a build without MPI: one rank. Mirrors communicator_mpi.cpp.

#include <algorithm>
#include <cstdlib>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/aligned.hpp"
#include "messages.hpp"

namespace convoy::comm {

Environment::Environment() = default;
Environment::~Environment() = default;
std::string Environment::library_version() {
  return "none (built without MPI)";
}

struct Communicator::Impl {};

Communicator Communicator::world() {
  return self();
}
Communicator Communicator::self() {
  return Communicator(std::make_shared<Impl>());
}
int Communicator::rank() const {
  return 0;
}
int Communicator::size() const {
  return 1;
}
Communicator Communicator::split(int) const {
  return *this;
}
Communicator Communicator::node() const {
  return *this;
}
void Communicator::barrier() const {}
void Communicator::broadcast(std::span<std::byte>, int) const {}
std::vector<std::byte> Communicator::all_gather(std::span<const std::byte> mine) const {
  return {mine.begin(), mine.end()};
}
void Communicator::all_gather_equal_bytes(std::span<const std::byte> mine, std::span<std::byte> all) const {
  std::copy(mine.begin(), mine.end(), all.begin());
}
void Communicator::abort(int status) {
  std::_Exit(status);
}
const void* Communicator::native_handle() const {
  return nullptr;
}

struct Exchange::Requests {};
Exchange::Exchange(const Communicator&) {}
Exchange::~Exchange() = default;
void Exchange::send(std::span<const float>, int, int) {}
void Exchange::receive(std::span<float>, int, int) {}
void Exchange::wait() {}

struct NodeSharedMemory::Impl {
  AlignedBuffer<std::byte> memory;
};
NodeSharedMemory::NodeSharedMemory(const Communicator&, std::int64_t bytes)
    : impl_(std::make_unique<Impl>(Impl{AlignedBuffer<std::byte>(bytes)})) {}
NodeSharedMemory::~NodeSharedMemory() = default;
NodeSharedMemory::NodeSharedMemory(NodeSharedMemory&&) noexcept = default;
NodeSharedMemory& NodeSharedMemory::operator=(NodeSharedMemory&&) noexcept = default;
std::span<std::byte> NodeSharedMemory::bytes() const {
  return impl_->memory.span();
}
void NodeSharedMemory::fence() const {}

}  // namespace convoy::comm
