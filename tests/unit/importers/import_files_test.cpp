#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/importers/import_files.hpp"
#include "convoy/io/file_system.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::importers {
namespace {

/// Requests a stop at a call of stop_status().
class Stopper final : public Observer {
 public:
  explicit Stopper(int at) : at_(at) {}
  void on_reading(std::string_view /*what*/, std::int64_t done, std::int64_t total) override {
    EXPECT_LE(done, total);
    is_told = true;
  }
  void on_progress(std::string_view /*what*/, std::int64_t /*done*/, std::int64_t /*total*/) override {
    has_begun_to_write = true;
  }
  [[nodiscard]] std::optional<ExitStatus> stop_status() const override {
    return calls++ >= at_ ? std::optional(ExitStatus::kTerminated) : std::nullopt;
  }

  bool is_told = false;
  bool has_begun_to_write = false;
  mutable std::atomic<int> calls = 0;

 private:
  int at_;
};

class ImportFiles : public testing::Test {
 protected:
  ImportFiles() {
    constexpr std::int64_t kSamples = 3000;
    io::File file = io::File::create(options_.data.file, comm::Communicator::self());
    file.create_dataset<std::uint8_t>("/x", {kSamples, 1, 32, 32}, {.chunk_rows = 100});
    file.write_rows<std::uint8_t>("/x", {0, kSamples}, std::vector<std::uint8_t>(kSamples * 1024, 7));
    std::vector<std::int64_t> labels(kSamples, 0);
    labels.front() = 1;
    file.write<std::int64_t>("/y", {kSamples}, labels);
    file.close();
  }

  test::ScratchFolder in_;
  test::ScratchFolder out_;
  FilesOptions options_{.data = {.file = in_ / "x.h5", .train = {.images = "/x", .labels = "/y"}},
                        .out = out_ / "f.h5"};
};

TEST_F(ImportFiles, ObeysAStopWhileItReadsTheFiles) {
  Stopper never(1 << 20);
  EXPECT_EQ(import_files(options_, comm::Communicator::self(), &never).splits.front().second, 3000);
  EXPECT_TRUE(never.is_told);
  EXPECT_EQ(out_.entries(), 1);
  io::remove_file(options_.out);
  bool stopped_before_writing = false;
  for (int at = 0; at < never.calls; ++at) {
    Stopper stopper(at);
    try {
      (void)import_files(options_, comm::Communicator::self(), &stopper);
      ADD_FAILURE() << "not stopped at call " << at << " of " << never.calls;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kTerminated) << error.what();
    }
    EXPECT_EQ(out_.entries(), 0) << at;
    stopped_before_writing |= stopper.is_told && !stopper.has_begun_to_write;
  }
  EXPECT_TRUE(stopped_before_writing);
}

}  // namespace
}  // namespace convoy::importers
