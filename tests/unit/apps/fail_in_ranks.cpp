// Fails in the way named by its first argument; ranks_test.sh starts it on several ranks.

#include <chrono>
#include <new>
#include <string>
#include <thread>

#include "convoy/launch/ranks.hpp"

int main(int argc, char** argv) {
  using namespace convoy;
  const std::string way = argc > 1 ? argv[1] : "";
  const auto body = [&](const comm::Communicator& world) -> ExitStatus {
    if (way == "all-alike") throw ConfigError("the same for all");
    if (way == "all-differ") throw IoError("mine is " + std::to_string(world.rank()));
    if (way == "all-one-late") {
      std::this_thread::sleep_for(std::chrono::milliseconds(200 * world.rank()));
      throw DivergedError("the loss is NaN");
    }
    if (way == "one" && world.rank() == 1) throw DataError("no good");
    if (way == "two" && world.rank() >= 1) throw IoError("disk full");
    if (way == "lower-later" && world.rank() >= 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(500 * (2 - world.rank())));
      throw IoError("disk full");
    }
    if (way == "memory" && world.rank() == 2) throw std::bad_alloc();
    if (way == "stop") return ExitStatus::kStoppedEarly;
    world.barrier();
    return ExitStatus::kDone;
  };
  return static_cast<int>(launch::run_with_ranks("probe", body));
}
