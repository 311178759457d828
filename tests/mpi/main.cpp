// Runs the tests on every rank. Rank 0 prints: a test that failed on any rank fails on rank 0 with that
// rank's messages. mpirun's --timeout ends a test whose ranks hang.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "world.hpp"

namespace convoy::test {
namespace {

std::optional<comm::Communicator> the_world;

/// Collects the failures of the current test on this rank.
class Collector : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo&) override { failures_.clear(); }
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    const char* file = result.file_name() != nullptr ? result.file_name() : "?";
    failures_ +=
        std::string(file) + ':' + std::to_string(result.line_number()) + '\n' + result.message() + '\n';
  }
  [[nodiscard]] const std::string& failures() const { return failures_; }

 private:
  std::string failures_;
};

/// At the end of a test, gathers the failures of all ranks on rank 0. Uses its own communicator, so that
/// pending messages of a failed test do not interfere.
class Gatherer : public testing::EmptyTestEventListener {
 public:
  Gatherer(const Collector& collector, comm::Communicator ranks)
      : collector_(collector), ranks_(std::move(ranks)) {}

  void OnTestEnd(const testing::TestInfo&) override {
    const std::vector<std::string> all = ranks_.all_gather_text(collector_.failures());
    if (!ranks_.is_root()) return;
    for (std::size_t rank = 1; rank < all.size(); ++rank)
      if (!all[rank].empty()) ADD_FAILURE() << "rank " << rank << ": " << all[rank];
  }

 private:
  const Collector& collector_;
  comm::Communicator ranks_;
};

}  // namespace

const comm::Communicator& world() {
  return *the_world;
}

SharedFolder::SharedFolder(comm::Communicator ranks) : ranks_(std::move(ranks)) {
  if (ranks_.is_root()) {
    path_ = testing::TempDir() + "/convoy-mpi-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) comm::Communicator::abort(4);
  }
  path_ = ranks_.broadcast(path_);
}

SharedFolder::~SharedFolder() {
  ranks_.barrier();
  std::error_code ignored;
  if (ranks_.is_root()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace convoy::test

int main(int argc, char** argv) {
  using namespace convoy;
  const comm::Environment environment;
  testing::InitGoogleTest(&argc, argv);
  test::the_world = comm::Communicator::world();

  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  if (!test::world().is_root()) delete listeners.Release(listeners.default_result_printer());
  auto* collector = new test::Collector;  // gtest owns and deletes listeners
  listeners.Append(collector);
  listeners.Append(new test::Gatherer(*collector, comm::Communicator::world()));

  // Rank 0 knows all failures; the other ranks must not end the job before rank 0 has printed them.
  const int mine = RUN_ALL_TESTS();
  const int status = test::world().broadcast_value(mine);
  test::the_world.reset();
  return status;
}
