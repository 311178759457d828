#include "convoy/comm/rendezvous.hpp"

namespace convoy::comm {

bool meet(const Communicator&, double) {
  return true;
}

std::vector<int> unresponsive_ranks(const Communicator&, double) {
  return {};
}

}  // namespace convoy::comm
