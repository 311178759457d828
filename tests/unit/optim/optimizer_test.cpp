#include "convoy/optim/optimizer.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "convoy/optim/optimizers.hpp"

namespace convoy::optim {
namespace {

TEST(SumOfSquares, IsThatOfWholeNumbers) {
  std::vector<float> values(100);
  std::iota(values.begin(), values.end(), 1.0F);
  EXPECT_EQ(sum_of_squares(values), 100.0 * 101 * 201 / 6);
  EXPECT_EQ(sum_of_squares({}), 0);
}

// 1e30² overflows float, 1e-30² underflows.
TEST(SumOfSquares, NeitherOverflowsNorVanishes) {
  EXPECT_EQ(sum_of_squares(std::vector{1e30F}), static_cast<double>(1e30F) * static_cast<double>(1e30F));
  EXPECT_EQ(sum_of_squares(std::vector{1e-30F}), static_cast<double>(1e-30F) * static_cast<double>(1e-30F));
}

TEST(Norms, AreRootsOfTensorsAndOfAll) {
  Norms norms;
  norms.add(std::vector{9.0, 16.0}, 25.0);
  norms.add(std::vector{4.0, 0.0}, 4.0);
  EXPECT_EQ(norms.of_tensor(0, 0), 3);
  EXPECT_EQ(norms.of_tensor(0, 1), 4);
  EXPECT_EQ(norms.of_all(0), 5);
  EXPECT_EQ(norms.of_tensor(1, 0), 2);
  EXPECT_EQ(norms.of_tensor(1, 1), 0);
  EXPECT_EQ(norms.of_all(1), 2);
  norms.clear();
  norms.add(std::vector{1.0}, 1.0);
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
