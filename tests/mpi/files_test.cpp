// Atomic files written by several ranks (io room).

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "convoy/core/error.hpp"
#include "convoy/hdf5/commit.hpp"
#include "convoy/hdf5/file.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/io/collective.hpp"
#include "unit/io/scratch_folder.hpp"
#include "world.hpp"

namespace convoy::io {
namespace {

using test::SharedFolder;
using test::world;

constexpr std::int64_t kRows = 7;
constexpr std::int64_t kColumns = 3;

std::vector<float> whole_table() {
  std::vector<float> values(kRows * kColumns);
  std::iota(values.begin(), values.end(), 0.5F);
  return values;
}

/// Writes the table (`rows` of it from this rank) and a few other objects.
void write_file(const std::string& path, const comm::Communicator& ranks, const Range& rows,
                const Storage& storage) {
  PendingFile pending(path, ranks);
  File file = File::create(pending.path(), ranks);
  file.set_attribute("/", "answer", std::int64_t{42});
  file.create_dataset<float>("/deep/down/table", {kRows, kColumns}, storage);
  const std::vector<float> values = whole_table();
  file.write_rows<float>("/deep/down/table", rows,
                         std::span(values).subspan(static_cast<std::size_t>(rows.begin * kColumns),
                                                   static_cast<std::size_t>(rows.size() * kColumns)));
  const double number = 1.25;
  file.write<double>("/number", {}, std::span(&number, 1));
  file.write_strings("/names", {"a", "bcd"});
  file.close();
  pending.commit();
}

void expect_whole(const std::string& path) {
  EXPECT_EQ(verify_checksum(path).state, ChecksumState::kGood);
  const File file = File::open(path);
  EXPECT_EQ(file.read<float>("/deep/down/table", {kRows, kColumns}), whole_table());
  EXPECT_EQ(file.read<double>("/number", {}), std::vector{1.25});
  EXPECT_EQ(file.read_strings("/names"), (std::vector<std::string>{"a", "bcd"}));
  EXPECT_EQ(file.attribute<std::int64_t>("/", "answer"), 42);
}

class CollectiveWrite : public testing::TestWithParam<Storage> {};

TEST_P(CollectiveWrite, OfEqualSharesIsReadBackByEveryRank) {
  const SharedFolder folder;
  write_file(folder / "a.h5", world(), split(kRows, world().size(), world().rank()), GetParam());
  expect_whole(folder / "a.h5");
}

TEST_P(CollectiveWrite, MayHaveEmptySelectionsOnAllRanksButTheLast) {
  const SharedFolder folder;
  const bool is_last = world().rank() == world().size() - 1;
  write_file(folder / "a.h5", world(), is_last ? Range{0, kRows} : Range{0, 0}, GetParam());
  expect_whole(folder / "a.h5");
}

TEST_P(CollectiveWrite, MakesTheSameBytesWhoeverWroteWhichRows) {
  const SharedFolder folder;
  write_file(folder / "many.h5", world(), split(kRows, world().size(), world().rank()), GetParam());
  const bool is_root = world().is_root();
  write_file(folder / "root.h5", world(), is_root ? Range{0, kRows} : Range{0, 0}, GetParam());
  EXPECT_EQ(test::read_bytes(folder / "many.h5"), test::read_bytes(folder / "root.h5"));
}

INSTANTIATE_TEST_SUITE_P(Storage, CollectiveWrite,
                         testing::Values(Storage{},
                                         Storage{.chunk_rows = 2, .gzip_level = 1, .fletcher32 = true}));

TEST(CollectiveWrite, PartsOfASplitWorldWriteFilesOfTheirOwn) {
  const SharedFolder folder;
  const comm::Communicator part = world().split(world().rank() % 2);
  const std::string path = folder / (world().rank() % 2 == 0 ? "even.h5" : "odd.h5");
  write_file(path, part, split(kRows, part.size(), part.rank()), {});
  expect_whole(path);
}

TEST(PendingFile, StoppedBeforeTheRenameLeavesTheOldFileAndNothingElse) {
  const SharedFolder folder;
  write_file(folder / "a.h5", world(), split(kRows, world().size(), world().rank()), {});
  const std::string before = test::read_bytes(folder / "a.h5");
  {
    PendingFile pending(folder / "a.h5", world());
    File file = File::create(pending.path(), world());
    file.close();
    EXPECT_THROW(pending.commit([] { throw IoError("superseded"); }), IoError);  // on every rank
  }
  world().barrier();
  EXPECT_EQ(test::read_bytes(folder / "a.h5"), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(PendingFile, AFolderThatIsNotThereIsAnErrorOnEveryRank) {
  const SharedFolder folder;
  EXPECT_THROW(PendingFile(folder / "nowhere/a.h5", world()), IoError);
}

TEST(Agreed, AnErrorOfOneRankIsThrownByAllWithItsClassAndRank) {
  const int last = world().size() - 1;
  const std::string message = test::message_of<DataError>([&] {
    agreed(world(), [&] {
      if (world().rank() == last) throw DataError("no good");
    });
  });
  EXPECT_HOLDS(message, "no good");
  if (world().size() > 1) {
    EXPECT_HOLDS(message, "rank " + std::to_string(last));
  }
}

TEST(Agreed, TheRootsErrorReachesAll) {
  EXPECT_THROW(agreed_at_root(world(), [] { throw ConfigError("no"); }), ConfigError);
  int runs = 0;
  agreed_at_root(world(), [&] { ++runs; });
  EXPECT_EQ(runs, world().is_root() ? 1 : 0);
}

}  // namespace
}  // namespace convoy::io
