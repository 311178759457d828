#include "convoy/model/norm_sums.hpp"

#include <gtest/gtest.h>

#include "support/norm_scaled.hpp"

namespace convoy::model {
namespace {

constexpr std::int64_t kBlock = optim::kNormBlock;

/// Tensors that begin within a block, contain several blocks, and are smaller than one block.
std::vector<optim::ParameterRange> tensors() {
  return {{.range = {0, 10}}, {.range = {10, 3 * kBlock}}, {.range = {3 * kBlock, 3 * kBlock + 7}}};
}

TEST(NormBlocks, EndWithTensorsAndAtMultiplesOfTheirLength) {
  const std::vector<NormBlock> blocks = norm_blocks(tensors());
  ASSERT_EQ(blocks.size(), 5U);
  const std::vector<Range> expected{
      {0, 10}, {10, kBlock}, {kBlock, 2 * kBlock}, {2 * kBlock, 3 * kBlock}, {3 * kBlock, 3 * kBlock + 7}};
  const std::vector<std::int64_t> of{0, 1, 1, 1, 2};
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(blocks[i].elements, expected[i]) << i;
    EXPECT_EQ(blocks[i].tensor, of[i]) << i;
  }
}

TEST(NormSums, FindTheBlocksOfAStretch) {
  const test::NormScaled optimizer;
  const NormSums sums(optimizer, tensors());
  EXPECT_EQ(sums.blocks_of({0, 3 * kBlock + 7}), (Range{0, 5}));
  EXPECT_EQ(sums.blocks_of({kBlock, 3 * kBlock}), (Range{2, 4}));
  EXPECT_EQ(sums.blocks_of({10, kBlock}), (Range{1, 2}));
}

TEST(NormSums, AddBlocksToTensorsAndTensorsToAllStageByStage) {
  const test::NormScaled optimizer;
  NormSums sums(optimizer, tensors());
  ASSERT_EQ(sums.stages(), 2);
  for (int step = 0; step < 2; ++step) {  // the second step must not depend on the first
    sums.restart();
    const std::vector<double> squares{4, 1, 2, 6, 16};
    for (std::int64_t i = 0; i < 5; ++i) sums.squares(0, i)[0] = squares[static_cast<std::size_t>(i)];
    sums.finish(0);
    EXPECT_EQ(sums.norms().of_tensor(0, 0), 2);
    EXPECT_EQ(sums.norms().of_tensor(0, 1), 3);
    EXPECT_EQ(sums.norms().of_tensor(0, 2), 4);
    EXPECT_EQ(sums.norms().of_all(0), std::sqrt(29.0));
    for (std::int64_t i = 0; i < 5; ++i) {
      sums.squares(1, i)[0] = 1;
      sums.squares(1, i)[1] = i == 4 ? 25 : 0;
    }
    sums.finish(1);
    EXPECT_EQ(sums.norms().of_tensor(1, 1), std::sqrt(3.0));
    EXPECT_EQ(sums.norms().of_tensor(2, 2), 5);
    EXPECT_EQ(sums.norms().of_tensor(2, 1), 0);
    EXPECT_EQ(sums.norms().of_tensor(0, 1), 3);
  }
}

}  // namespace
}  // namespace convoy::model
