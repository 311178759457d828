// A single rank. Reading on behalf of other ranks of a node is tested in tests/integration.

#include "convoy/step/feed.hpp"

#include <gtest/gtest.h>

#include "convoy/hdf5/file.hpp"
#include "convoy/step/epoch_order.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::step {
namespace {

using comm::Communicator;

constexpr std::int64_t kImages = 50;

/// A streamed split: images 1x1x1; the pixel of sample n is n.
class Feed : public testing::Test {
 protected:
  Feed() {
    options_.batch = 16;
    options_.micro_batch = 5;
    options_.data.cache = data::Cache::kNone;
    options_.data.file = folder_ / "a.h5";
    options_.data.train = {.images = "/x", .labels = "/y"};
    options_.data.classes = 2;
    std::vector<std::uint8_t> pixels(kImages);
    for (std::size_t n = 0; n < kImages; ++n) pixels[n] = static_cast<std::uint8_t>(n);
    io::File file = io::File::create(options_.data.file, Communicator::self());
    file.create_dataset<std::uint8_t>("/x", {kImages, 1, 1, 1}, {.chunk_rows = 4});
    file.write_rows<std::uint8_t>("/x", {0, kImages}, pixels);
    file.write<std::int64_t>("/y", {kImages}, std::vector<std::int64_t>(kImages, 1));
    file.close();
    data_.emplace(options_.data, Communicator::self(), std::vector<std::string>{"train"});
  }

  [[nodiscard]] const data::Split& split() const { return *data_->split("train"); }

  test::ScratchFolder folder_;
  Options options_;
  std::optional<data::Dataset> data_;
  io::IoThread thread_;
};

TEST_F(Feed, TrainingHasTheImagesOfEveryStepFromAnyOn) {
  constexpr std::int64_t kPerEpoch = 4;
  EpochOrder order(data::SampleOrder(split(), options_.data, options_.seed, options_.batch));
  for (const std::int64_t first : {0, 6}) {
    const auto stream = feed_training(
        options_, Communicator::self(), split(), thread_,
        {.first = first, .end = 3 * kPerEpoch, .per_epoch = kPerEpoch, .is_verified = [](std::int64_t) {
           return true;
         }});
    for (std::int64_t step = first; step < 3 * kPerEpoch; ++step) {
      order.begin_epoch(step / kPerEpoch);
      await_images(*stream, step, [] {});
      for (const std::int64_t sample : order.batch(step % kPerEpoch, options_.batch))
        ASSERT_EQ(static_cast<std::int64_t>(*stream->image(sample).bytes), sample) << "step " << step;
      stream->release(step);
    }
  }
}

}  // namespace
}  // namespace convoy::step
