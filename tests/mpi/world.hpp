#pragma once
// The world of the tests on several ranks, created by main, and a folder visible to all ranks.

#include <string>

#include "convoy/comm/communicator.hpp"

namespace convoy::test {

/// All ranks of the test program; valid until the end of main.
[[nodiscard]] const comm::Communicator& world();

/// A folder for one test, the same on all ranks of `ranks`; rank 0 removes it. Construction and destruction
/// are collective.
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
