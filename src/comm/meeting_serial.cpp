#include "convoy/comm/meeting.hpp"

namespace convoy::comm {

bool meet(const Communicator&, double) {
  return true;
}

}  // namespace convoy::comm
