#pragma once
// What the tests on several ranks share: the world that main made, and a folder all ranks see.

#include <string>

#include "convoy/comm/communicator.hpp"

namespace convoy::test {

/// All ranks of the test program; lives as long as main.
[[nodiscard]] const comm::Communicator& world();

/// A folder of one test's own, the same on all ranks of `ranks`; removed by rank 0. Both ends are collective.
class SharedFolder {
 public:
  explicit SharedFolder(comm::Communicator ranks = world());
  ~SharedFolder();
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  comm::Communicator ranks_;
  std::string path_;
};

}  // namespace convoy::test
