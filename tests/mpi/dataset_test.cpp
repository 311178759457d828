#include "convoy/data/dataset.hpp"

#include "convoy/core/error.hpp"
#include "convoy/core/layout.hpp"
#include "unit/data/dataset_fixture.hpp"
#include "world.hpp"

namespace convoy::data {
namespace {

using test::SharedFolder;
using test::world;

/// All images of a split, as `load` returns them.
std::vector<float> images(const Dataset& dataset, const char* name) {
  const Split& split = *dataset.split(name);
  std::vector<std::int64_t> samples(static_cast<std::size_t>(split.samples()));
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<std::int64_t>(i);
  const std::int64_t blocks = (split.samples() + kLanes - 1) / kLanes;
  std::vector<float> values(static_cast<std::size_t>(blocks * kLanes * dataset.shape().size()));
  split.load(samples, dataset.transform(Normalize::kDataset), values.data());
  return values;
}

TEST(Dataset, EveryRankSeesWhatOneRankAloneReads) {
  const SharedFolder folder;
  if (world().is_root()) test::write_small_dataset(folder / "a.h5");
  world().barrier();
  const Dataset together(folder / "a.h5", world(), {"train", "test"});
  const Dataset alone(folder / "a.h5", comm::Communicator::self(), {"train", "test"});
  EXPECT_EQ(together.digest(), alone.digest());
  EXPECT_EQ(together.classes(), 3);
  for (const char* name : {"train", "test"}) {
    EXPECT_EQ(images(together, name), images(alone, name)) << name;
    const auto labels = together.split(name)->labels();
    ASSERT_EQ(static_cast<std::int64_t>(labels.size()), together.split(name)->samples());
    for (std::size_t i = 0; i < labels.size(); ++i) EXPECT_EQ(labels[i], static_cast<std::int64_t>(i % 3));
  }
}

TEST(Dataset, PartsOfASplitWorldReadFilesOfTheirOwn) {
  const SharedFolder folder;
  if (world().is_root()) test::write_small_dataset(folder / "a.h5");
  world().barrier();
  const comm::Communicator part = world().split(world().rank() % 2);
  const Dataset dataset(folder / "a.h5", part, {"test"});
  EXPECT_EQ(dataset.split("test")->samples(), test::kSmallTest);
  EXPECT_EQ(dataset.split("train"), nullptr);
}

TEST(Dataset, ADamagedFileIsTheSameErrorOnEveryRank) {
  const SharedFolder folder;
  if (world().is_root()) {
    test::write_small_dataset(folder / "a.h5");
    std::string bytes = test::read_bytes(folder / "a.h5");
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    test::write_bytes(folder / "a.h5", bytes);
  }
  world().barrier();
  const std::string message =
      test::message_of<DataError>([&] { Dataset(folder / "a.h5", world(), {"train"}); });
  EXPECT_HOLDS(message, folder / "a.h5");
  for (const std::string& each : world().all_gather_text(message)) EXPECT_EQ(each, message);
}

TEST(Dataset, AMissingFileIsTheSameErrorOnEveryRank) {
  EXPECT_THROW(Dataset("/nowhere/a.h5", world(), {"train"}), ConfigError);
}

}  // namespace
}  // namespace convoy::data
