#include "convoy/optim/optimizer.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "convoy/core/layout.hpp"
#include "convoy/optim/optimizers.hpp"

namespace convoy::optim {
namespace {

TEST(SumOfSquares, IsThatOfWholeNumbers) {
  std::vector<float> values(100);
  std::iota(values.begin(), values.end(), 1.0F);
  EXPECT_EQ(sum_of_squares(values), 100.0 * 101 * 201 / 6);
  EXPECT_EQ(sum_of_squares({}), 0);
}

// Each lane is a chain of its own, then the lanes are added in a tree: sums of 2⁶⁰ and ones round differently
// in any other order.
TEST(SumOfSquares, AddsLanesFirst) {
  std::vector<float> values(3 * kLanes + 5, 1.0F);
  values[2] = 0x1p30F;
  std::vector<double> lanes(kLanes);
  for (std::size_t i = 0; i < values.size(); ++i)
    lanes[i % kLanes] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  EXPECT_EQ(sum_of_squares(values), lanes[0]);
}

// 1e30² overflows float, 1e-30² underflows.
TEST(SumOfSquares, NeitherOverflowsNorVanishes) {
  EXPECT_EQ(sum_of_squares(std::vector{1e30F}), static_cast<double>(1e30F) * static_cast<double>(1e30F));
  EXPECT_EQ(sum_of_squares(std::vector{1e-30F}), static_cast<double>(1e-30F) * static_cast<double>(1e-30F));
}

TEST(Norms, AreRootsOfTensorsAndOfAll) {
  NormValues values;
  values.add(std::vector{9.0, 16.0}, 25.0);
  values.add(std::vector{4.0, 0.0}, 4.0);
  Norms norms = values.norms();
  EXPECT_EQ(norms.of_tensor(0, 0), 3);
  EXPECT_EQ(norms.of_tensor(0, 1), 4);
  EXPECT_EQ(norms.of_all(0), 5);
  EXPECT_EQ(norms.of_tensor(1, 0), 2);
  EXPECT_EQ(norms.of_tensor(1, 1), 0);
  EXPECT_EQ(norms.of_all(1), 2);
  EXPECT_EQ(norms.from(1).of_tensor(0, 0), 2);
  EXPECT_EQ(norms.from(1).of_all(0), 2);
  values.clear();
  values.add(std::vector{1.0}, 1.0);
  norms = values.norms();
  EXPECT_EQ(norms.of_tensor(0, 0), 1);
}

TEST(MakeOptimizer, KnowsEveryName) {
  for (std::size_t i = 0; i < optimizer_names().size(); ++i) {
    const std::unique_ptr<const Optimizer> optimizer =
        make_optimizer({.kind = static_cast<OptimizerKind>(i), .momentum = 0.5});
    ASSERT_NE(optimizer, nullptr) << optimizer_names()[i];
    EXPECT_LE(optimizer->states().size(), kMostStates);
  }
}

}  // namespace
}  // namespace convoy::optim
