#include "convoy/importers/synth.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "convoy/core/error.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/data/dataset.hpp"
#include "unit/data/dataset_fixture.hpp"

namespace convoy::importers {
namespace {

using test::message_of;
using Image = std::vector<std::uint8_t>;

Image draw(const SynthOptions& options, SynthSplit split, std::int64_t index) {
  Image image(static_cast<std::size_t>(options.height * options.width));
  draw_synth(options, split, index, image);
  return image;
}

TEST(Synth, AImageDependsOnSeedSplitAndIndexAlone) {
  const SynthOptions options;
  EXPECT_EQ(draw(options, SynthSplit::kTrain, 7), draw({.train = 8, .test = 1}, SynthSplit::kTrain, 7));
  EXPECT_NE(draw(options, SynthSplit::kTrain, 7), draw(options, SynthSplit::kTest, 7));
  EXPECT_NE(draw(options, SynthSplit::kTrain, 7), draw(options, SynthSplit::kTrain, 17));
  EXPECT_NE(draw(options, SynthSplit::kTrain, 7), draw({.seed = 2}, SynthSplit::kTrain, 7));
}

// Fixed digest: a change of the drawings changes the digests that users have recorded.
TEST(Synth, DrawsTheBytesItHasAlwaysDrawn) {
  Image all;
  for (std::int64_t index = 0; index < 20; ++index) {
    const Image image = draw({}, SynthSplit::kTrain, index);
    all.insert(all.end(), image.begin(), image.end());
  }
  EXPECT_EQ(to_hex(hash(std::as_bytes(std::span(all)))), "1ba0af8e1523628050e584939854629d");
}

TEST(Synth, DrawsSomethingInEveryImage) {
  // The smallest contrast is 0.35 of the range, 89 grey levels; an image's noise averages out over its shape.
  constexpr int kLeastRange = 60;
  for (std::int64_t index = 0; index < 200; ++index) {
    const Image image = draw({}, SynthSplit::kTest, index);
    const auto [darkest, lightest] = std::ranges::minmax(image);
    EXPECT_GT(lightest - darkest, kLeastRange) << "image " << index;
  }
}

TEST(Synth, WritesADataSetWithBalancedClasses) {
  const test::ScratchFolder folder;
  synth({.train = 21, .test = 7, .classes = 7, .height = 20, .width = 16}, folder / "s.h5");
  const data::Dataset data(folder / "s.h5", comm::Communicator::self(), {"train", "test"});
  EXPECT_EQ(data.shape(), (Shape{1, 20, 16}));
  EXPECT_EQ(data.classes(), 7);
  EXPECT_EQ(data.class_names().front(), "bar");
  for (std::int64_t k = 0; k < 7; ++k) EXPECT_EQ(std::ranges::count(data.split("train")->labels(), k), 3);
}

TEST(Synth, NamesOptionsOutOfRange) {
  const test::ScratchFolder folder;
  const auto complaint = [&](const SynthOptions& options) {
    return message_of<ConfigError>([&] { synth(options, folder / "s.h5"); });
  };
  EXPECT_HOLDS(complaint({.train = 0}), "--train");
  EXPECT_HOLDS(complaint({.test = -1}), "--test");
  EXPECT_HOLDS(complaint({.classes = 11}), "--classes");
  EXPECT_HOLDS(complaint({.classes = 1}), "between 2 and 10");
  EXPECT_HOLDS(complaint({.height = 4}), "--height");
  EXPECT_HOLDS(complaint({.width = 100000}), "--width");
  EXPECT_EQ(folder.entries(), 0);
}

}  // namespace
}  // namespace convoy::importers
