// The comm room without MPI: one rank. Mirrors communicator_mpi.cpp.

#include <algorithm>
#include <cstdlib>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/aligned.hpp"
#include "convoy/core/error.hpp"
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
Communicator Communicator::duplicate_of(const void* mpi_comm) {
  if (mpi_comm == nullptr) return self();
  throw ConfigError(
      "this Convoy is built without MPI (CONVOY_WITH_MPI=OFF); pass no communicator, or build it with MPI");
}
Communicator Communicator::duplicate_of_fortran(int mpi_comm) {
  return duplicate_of(&mpi_comm);
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
void Communicator::broadcast(std::span<std::byte>, int) const {}
std::vector<std::byte> Communicator::all_gather(std::span<const std::byte> mine) const {
  return {mine.begin(), mine.end()};
}
void Communicator::add_over_all(std::span<float>) const {}
Communicator Communicator::by_node() const {
  return *this;
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
Exchange::Exchange(Exchange&&) noexcept = default;
Exchange& Exchange::operator=(Exchange&&) noexcept = default;
void Exchange::send(std::span<const std::byte>, int, int) {}
void Exchange::receive(std::span<std::byte>, int, int) {}
void Exchange::add_over_all(std::span<float>) {}
bool Exchange::is_complete() {
  return true;
}
int Exchange::pending_peer() const {
  return -1;
}

struct NodeSegments::Impl {
  AlignedBuffer<std::byte> memory;
};
NodeSegments::NodeSegments(const Communicator&, std::int64_t bytes)
    : impl_(std::make_unique<Impl>(Impl{AlignedBuffer<std::byte>(bytes)})) {}
NodeSegments::~NodeSegments() = default;
NodeSegments::NodeSegments(NodeSegments&&) noexcept = default;
NodeSegments& NodeSegments::operator=(NodeSegments&&) noexcept = default;
std::span<std::byte> NodeSegments::of(int) const {
  return impl_->memory.span();
}

}  // namespace convoy::comm
