#include "convoy/comm/rendezvous.hpp"

namespace convoy::comm {

Meeting meet(const Communicator&, double) {
  return {.is_complete = true};
}

std::vector<int> unresponsive_ranks(const Communicator&, double) {
  return {};
}

}  // namespace convoy::comm
