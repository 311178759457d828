// Order and streaming of splits that stay in their files; one rank (tests/mpi tests several).

#include "convoy/data/stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "convoy/core/error.hpp"
#include "convoy/core/layout.hpp"
#include "convoy/core/memory.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/hdf5/file.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::data {
namespace {

using comm::Communicator;

constexpr std::int64_t kSamples = 300;

/// Images 1x1x1 in chunks of four; the pixel of sample n is n mod 251.
class Streamed : public testing::Test {
 protected:
  Streamed() {
    std::vector<std::uint8_t> pixels(kSamples);
    for (std::size_t n = 0; n < kSamples; ++n) pixels[n] = static_cast<std::uint8_t>(n % 251);
    io::File file = io::File::create(options_.file, Communicator::self());
    file.create_dataset<std::uint8_t>("/x", {kSamples, 1, 1, 1}, {.chunk_rows = 4});
    file.write_rows<std::uint8_t>("/x", {0, kSamples}, pixels);
    file.write<std::int64_t>("/y", {kSamples}, std::vector<std::int64_t>(kSamples, 1));
    file.close();
  }

  [[nodiscard]] Dataset open(Cache cache) {
    options_.cache = cache;
    return {options_, Communicator::self(), {"train"}};
  }

  [[nodiscard]] ReadPlan all_of(const Split& split, std::int64_t batch) const {
    const SampleOrder order(split, options_, kSeed, batch);
    const std::int64_t steps = (kSamples + batch - 1) / batch;
    return {.first_step = 0,
            .end_step = 3 * steps,
            .positions = kSamples,
            .steps_per_pass = steps,
            .batch = batch,
            .most_in_portion = order.most_in_portion(),
            .order = [order](std::int64_t pass) { return order.of(pass); },
            .wanted =
                [batch](std::int64_t) {
                  return std::vector{Range{0, batch}};
                },
            .most_wanted = batch};
  }

  static constexpr std::uint64_t kSeed = 5;
  test::ScratchFolder folder_;
  Options options_{.file = folder_ / "a.h5", .train = {.images = "/x", .labels = "/y"}, .classes = 2};
};

std::vector<std::int64_t> samples_of(const PassOrder& pass, std::int64_t step, std::int64_t batch) {
  const auto begin = pass.samples.begin() + step % ((kSamples + batch - 1) / batch) * batch;
  return {begin, begin + std::min(batch, static_cast<std::int64_t>(pass.samples.end() - begin))};
}

TEST_F(Streamed, StepsHaveTheirImagesInOrderThroughSeveralPasses) {
  for (const Order order : {Order::kFull, Order::kChunks}) {
    options_.order = order;
    const Dataset data = open(Cache::kNone);
    const Split& split = *data.split("train");
    ASSERT_TRUE(split.is_streamed());
    // Windows of 40 samples; steps of 35 overlap two of them.
    for (const std::int64_t window : {40, 35, 7, 1000}) {
      options_.window_bytes = window;
      constexpr std::int64_t kBatch = 35;
      io::IoThread thread;
      const ReadPlan read_plan = all_of(split, kBatch);
      Stream stream(split, thread, Communicator::self(), read_plan);
      for (std::int64_t step = 0; step < read_plan.end_step; ++step) {
        stream.wait(step);
        const PassOrder pass = read_plan.order(step / read_plan.steps_per_pass);
        const std::vector<std::int64_t> samples = samples_of(pass, step, kBatch);
        std::vector<float> block(static_cast<std::size_t>(lane_blocks(kBatch) * kLanes));
        split.load(samples, data.transform(Normalize::kNone), block.data(), {.stream = &stream});
        for (std::size_t i = 0; i < samples.size(); ++i)
          ASSERT_EQ(block[i], static_cast<float>(static_cast<double>(samples[i] % 251) * (1. / 255)))
              << step << ' ' << i;
        stream.release(step);
      }
    }
  }
}

TEST_F(Streamed, BeginsAtAnyStepAndReadsWhatIsWantedAlone) {
  options_.window_bytes = 60;
  const Dataset data = open(Cache::kNone);
  const Split& split = *data.split("train");
  constexpr std::int64_t kBatch = 30;
  ReadPlan read_plan = all_of(split, kBatch);
  read_plan.first_step = 13;  // inside a portion of the second pass
  read_plan.wanted = [](std::int64_t) { return std::vector{Range{10, 20}, Range{15, 22}}; };
  read_plan.most_wanted = 12;
  io::IoThread thread;
  Stream stream(split, thread, Communicator::self(), read_plan);
  EXPECT_EQ(stream.buffer_bytes(),
            2 * 48);  // images of two steps, plus the two steps that a portion may cut
  const PassOrder pass = read_plan.order(1);
  stream.wait(13);
  const std::vector<std::int64_t> samples = samples_of(pass, 13, kBatch);
  EXPECT_EQ(static_cast<std::int64_t>(*stream.image(samples[10]).bytes), samples[10] % 251);
  EXPECT_EQ(static_cast<std::int64_t>(*stream.image(samples[21]).bytes), samples[21] % 251);
  EXPECT_THROW((void)stream.image(samples[9]), std::logic_error);
  EXPECT_THROW((void)stream.image(samples_of(pass, 12, kBatch)[15]), std::logic_error);
}

TEST_F(Streamed, StretchOfRowsComesInItsOrder) {
  const Dataset data = open(Cache::kNone);
  const Range rows{7, 30};
  constexpr std::int64_t kBatch = 10;
  io::IoThread thread;
  const auto stream = stream_of_rows(*data.split("train"), thread, rows, kBatch);
  for (std::int64_t step = 0; step < 3; ++step) {
    stream->wait(step);
    const std::int64_t first = rows.begin + step * kBatch;
    for (std::int64_t sample = first; sample < std::min(first + kBatch, rows.end); ++sample)
      ASSERT_EQ(static_cast<std::int64_t>(*stream->image(sample).bytes), sample);
    stream->release(step);
  }
}

TEST_F(Streamed, NoticesAnImageThatChangedInItsBuffer) {
  const Dataset data = open(Cache::kNone);
  const Split& split = *data.split("train");
  constexpr std::int64_t kBatch = 30;
  const ReadPlan read_plan = all_of(split, kBatch);
  io::IoThread thread;
  Stream stream(split, thread, Communicator::self(), read_plan);
  stream.wait(0);
  const std::vector<std::int64_t> samples = samples_of(read_plan.order(0), 0, kBatch);
  std::vector<float> block(static_cast<std::size_t>(lane_blocks(kBatch) * kLanes));
  const auto load = [&] {
    split.load(samples, data.transform(Normalize::kNone), block.data(), {.stream = &stream});
  };
  load();
  split.require_intact();
  *const_cast<std::byte*>(stream.image(samples[7]).bytes) ^= std::byte{4};
  load();
  try {
    split.require_intact();
    FAIL() << "the change was not noticed";
  } catch (const MemoryFaultError& error) {
    EXPECT_NE(std::string(error.what()).find("the image of sample " + std::to_string(samples[7])),
              std::string::npos)
        << error.what();
  }
}

TEST_F(Streamed, AFileThatGoesAwayIsAnErrorOfTheStepThatWaits) {
  const Dataset data = open(Cache::kNone);
  std::remove(options_.file.c_str());
  io::IoThread thread;
  Stream stream(*data.split("train"), thread, Communicator::self(), all_of(*data.split("train"), 10));
  EXPECT_THROW(stream.wait(0), IoError);
}

TEST_F(Streamed, AFileThatCannotBeReadSinceItWasChangedIsSaidToBeChanged) {
  {
    io::File file = io::File::create(options_.file, Communicator::self());
    file.create_dataset<std::uint8_t>("/x", {kSamples, 1, 1, 1}, {.chunk_rows = 4, .gzip_level = 4});
    file.write_rows<std::uint8_t>("/x", {0, kSamples}, std::vector<std::uint8_t>(kSamples, 7));
    file.write<std::int64_t>("/y", {kSamples}, std::vector<std::int64_t>(kSamples, 1));
    file.close();
  }
  const Dataset data = open(Cache::kNone);
  const std::string bytes = test::read_bytes(options_.file);
  test::write_bytes(options_.file, std::string(bytes.size(), 'x'));  // invalid gzip in every chunk
  io::IoThread thread;
  Stream stream(*data.split("train"), thread, Communicator::self(), all_of(*data.split("train"), 10));
  EXPECT_HOLDS(test::message_of<DataError>([&] { stream.wait(0); }), "was changed while the run read it");
}

TEST_F(Streamed, WithoutAStreamSamplesAreReadButNotLoaded) {
  const Dataset data = open(Cache::kNone);
  std::vector<float> block(kLanes);
  const std::vector<std::int64_t> samples{299, 3};
  const InputTransform transform = data.transform(Normalize::kNone);
  EXPECT_THROW(data.split("train")->load(samples, transform, block.data()), std::logic_error);
  data.split("train")->read(samples, transform, block.data());
  EXPECT_EQ(block[0], static_cast<float>((299 % 251) * (1. / 255)));
  EXPECT_EQ(block[1], static_cast<float>(3 * (1. / 255)));
}

TEST_F(Streamed, SmallDataSetsAreKeptInMemory) {
  EXPECT_FALSE(open(Cache::kAuto).split("train")->is_streamed());
  EXPECT_FALSE(open(Cache::kMemory).split("train")->is_streamed());
}

TEST_F(Streamed, OrderByChunksIsAPermutationMixedWithinWindowsOfNeighbours) {
  options_.order = Order::kChunks;
  options_.window_bytes = 64;
  const Dataset data = open(Cache::kMemory);
  const SampleOrder order(*data.split("train"), options_, kSeed, 8);
  for (const std::int64_t epoch : {0, 1}) {
    std::vector<std::int64_t> samples = order.of(epoch).samples;
    EXPECT_EQ(samples, order.of(epoch).samples);
    EXPECT_FALSE(std::ranges::is_sorted(samples));
    std::ranges::sort(samples);
    std::vector<std::int64_t> all(kSamples);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(samples, all);
  }
  EXPECT_NE(order.of(0).samples, order.of(1).samples);
}

TEST_F(Streamed, OrderDoesNotKnowWhereImagesAre) {
  for (const Order kind : {Order::kFull, Order::kChunks}) {
    options_.order = kind;
    options_.window_bytes = 50;
    const Dataset streamed = open(Cache::kNone);
    const Dataset kept = open(Cache::kMemory);
    const PassOrder one = SampleOrder(*streamed.split("train"), options_, kSeed, 8).of(2);
    EXPECT_EQ(one.samples, SampleOrder(*kept.split("train"), options_, kSeed, 8).of(2).samples);
    EXPECT_EQ(one.portion_ends.back(), kSamples);
  }
}

TEST_F(Streamed, NothingIsShuffledWhereTheFilesOrderIsAskedFor) {
  options_.shuffle = false;
  options_.order = Order::kChunks;
  const Dataset data = open(Cache::kNone);
  const PassOrder pass = SampleOrder(*data.split("train"), options_, kSeed, 8).of(1);
  EXPECT_TRUE(std::ranges::is_sorted(pass.samples));
}

TEST(AvailableMemory, IsSomethingThisMachineCanHave) {
  EXPECT_GT(available_memory(), std::int64_t{1} << 20);
  EXPECT_LT(available_memory(), std::int64_t{1} << 50);
}

// libhdf5 is for one thread at a time: with files closed by this thread every second run of this test
// crashed.
TEST_F(Streamed, MayEndWhileAnotherReads) {
  const Dataset dataset = open(Cache::kNone);
  const Split& split = *dataset.split("train");
  constexpr std::int64_t kBatch = 4;
  io::IoThread thread;
  for (int round = 0; round < 20; ++round) {
    const auto reading = stream_of_rows(split, thread, {0, kSamples}, kBatch);
    for (std::int64_t step = 0; step < kSamples / kBatch; ++step) {
      reading->wait(step);
      auto other = stream_of_rows(split, thread, {0, kBatch}, kBatch);
      other->wait(0);
      reading->release(step);  // the thread reads on
      other.reset();
    }
  }
}

}  // namespace
}  // namespace convoy::data
