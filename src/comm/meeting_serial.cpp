#include "convoy/comm/meeting.hpp"

namespace convoy::comm {

bool meet(const Communicator&, double) {
  return true;
}

std::vector<int> silent_ranks(const Communicator&, double) {
  return {};
}

}  // namespace convoy::comm
