#pragma once
// Point-to-point messages of floats for the Reducer; private to the comm room.

#include <cstdint>
#include <memory>
#include <span>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/aligned.hpp"

namespace convoy::comm {

/// A set of nonblocking sends and receives, finished together. Buffers must stay untouched until wait()
/// returns; the destructor waits for what is pending.
class Exchange {
 public:
  explicit Exchange(const Communicator& communicator);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void send(std::span<const float> values, int to, int tag);
  void receive(std::span<float> values, int from, int tag);
  /// Blocks until every message posted so far has gone or come.
  void wait();

 private:
  struct Requests;
  std::unique_ptr<Requests> requests_;
};

}  // namespace convoy::comm
