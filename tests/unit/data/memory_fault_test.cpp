// Bits that change in memory are noticed when their sample is loaded, and only then.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/core/layout.hpp"
#include "convoy/data/dataset.hpp"
#include "convoy/data/memory_split.hpp"

namespace convoy::data {
namespace {

using comm::Communicator;
using comm::NodeSharedMemory;

constexpr Shape kSmallImage{2, 3, 5};
constexpr std::int64_t kFewSamples = 20;

std::shared_ptr<NodeSharedMemory> memory_of(std::int64_t bytes) {
  auto memory = std::make_shared<NodeSharedMemory>(Communicator::self(), bytes);
  std::ranges::fill(memory->bytes(), std::byte{1});
  return memory;
}

/// Images of bytes; the answers are labels, or `target_size` floats, of 0.
MemorySplit small_split(std::int64_t target_size) {
  MemorySplit split{.shape = kSmallImage,
                    .is_bytes = true,
                    .samples = kFewSamples,
                    .target_size = target_size,
                    .classes = target_size > 0 ? 0 : 2,
                    .images = memory_of(kFewSamples * kSmallImage.size()),
                    .answers = memory_of(kFewSamples * (target_size > 0 ? 4 * target_size : 8))};
  std::ranges::fill(split.answers->bytes(), std::byte{0});
  return split;
}

class MemoryFault : public testing::Test {
 protected:
  /// What require_intact() says after samples [0, loaded) have been loaded; empty: nothing.
  std::string message_after_loading(std::int64_t loaded) {
    std::vector<std::int64_t> samples(static_cast<std::size_t>(loaded));
    std::iota(samples.begin(), samples.end(), 0);
    std::vector<float> blocks(static_cast<std::size_t>(lane_blocks(loaded) * kLanes * kSmallImage.size()));
    const Split& split = *data_.split("train");
    split.load(samples, data_.transform(Normalize::kNone), blocks.data());
    if (split.target_size() == 0) {
      labels_.resize(samples.size());
      split.copy_labels(samples, labels_);
    } else {
      std::vector<float> targets(samples.size() * static_cast<std::size_t>(split.target_size()));
      split.copy_targets(samples, targets);
    }
    try {
      split.require_intact();
      return {};
    } catch (const MemoryFaultError& error) {
      EXPECT_EQ(error.status(), ExitStatus::kDisagreement);
      return error.what();
    }
  }

  static void flip(NodeSharedMemory& memory, std::int64_t byte) {
    memory.bytes()[static_cast<std::size_t>(byte)] ^= std::byte{32};
  }

  void open(std::int64_t target_size) {
    memory_ = small_split(target_size);
    data_ = Dataset(memory_, Communicator::self());
  }

  MemorySplit memory_ = small_split(0);
  Dataset data_{memory_, Communicator::self()};
  std::vector<std::int64_t> labels_;
};

TEST_F(MemoryFault, IsNoneInMemoryThatKeepsItsContent) {
  EXPECT_EQ(message_after_loading(kFewSamples), "");
}

TEST_F(MemoryFault, OfAnImageIsNamedWithSampleAndHost) {
  flip(*memory_.images, 17 * kSmallImage.size() + 29);
  EXPECT_EQ(message_after_loading(17), "") << "sample 17 is not among them";
  const std::string message = message_after_loading(18);
  EXPECT_NE(message.find("memory of " + comm::host_name()), std::string::npos) << message;
  EXPECT_NE(message.find("the image of sample 17 of the train samples"), std::string::npos) << message;
}

TEST_F(MemoryFault, OfALabelIsNamed) {
  flip(*memory_.answers, 3 * 8 + 6);
  EXPECT_NE(message_after_loading(kFewSamples).find("the label of sample 3 "), std::string::npos);
  EXPECT_EQ(labels_[3], 0) << "no class that the network does not have";
}

TEST_F(MemoryFault, OfATargetIsNamed) {
  open(3);
  EXPECT_EQ(message_after_loading(kFewSamples), "");
  flip(*memory_.answers, 5 * 12 + 11);
  EXPECT_NE(message_after_loading(kFewSamples).find("the target of sample 5 "), std::string::npos);
}

TEST_F(MemoryFault, OfEveryBitOfASampleIsNoticed) {
  for (std::int64_t byte = 0; byte < kSmallImage.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      open(0);
      memory_.images->bytes()[static_cast<std::size_t>(byte)] ^= std::byte{1} << bit;
      ASSERT_NE(message_after_loading(1), "") << byte << ' ' << bit;
    }
  }
}

TEST_F(MemoryFault, IsToldAgainWhenAnotherBatchFollows) {
  flip(*memory_.images, 0);
  EXPECT_NE(message_after_loading(1), "");
  flip(*memory_.images, 0);
  EXPECT_NE(message_after_loading(1), "") << "the run must end even if the bit changes back";
}

}  // namespace
}  // namespace convoy::data
