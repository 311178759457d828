#include "convoy/model/parameter_groups.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "convoy/core/error.hpp"

namespace convoy::model {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

/// conv1.weight, conv1.bias, batchnorm1.weight, batchnorm1.bias, dense1.weight, dense1.bias.
nn::Network groups_network() {
  return nn::Network({1, 4, 4}, {{"conv 3 2x2", "test"}, {"batchnorm", "test"}, {"dense 2", "test"}},
                     nn::LossKind::kSoftmaxCrossEntropy, std::nullopt);
}

TEST(ParameterRanges, WithoutGroupsWeightsDecayAndAllIsTrained) {
  const nn::Network network = groups_network();
  const std::vector<optim::ParameterRange> ranges = parameter_ranges(network, {});
  ASSERT_EQ(ranges.size(), 6U);
  const std::vector<double> decay{1, 0, 0, 0, 1, 0};
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    EXPECT_EQ(ranges[i].range.begin, network.parameters()[i].offset);
    EXPECT_EQ(ranges[i].range.size(), network.parameters()[i].size());
    EXPECT_EQ(ranges[i].decay_factor, decay[i]) << i;
    EXPECT_EQ(ranges[i].rate_factor, 1) << i;
    EXPECT_EQ(ranges[i].frozen_from, kNever) << i;
  }
}

TEST(ParameterRanges, TakeTheLastGroupThatMatches) {
  const std::vector<optim::ParameterRange> ranges =
      parameter_ranges(groups_network(), {{.name = "norms", .match = {"batchnorm*"}, .rate_factor = 64},
                                          {.name = "biases",
                                           .match = {"dense1.bias", "batch*.bias"},
                                           .decay_factor = 0.25,
                                           .freeze_after_epochs = 2.5},
                                          {.name = "first", .match = {"conv1.*"}, .is_frozen = true}});
  const std::vector<double> rate{1, 1, 64, 1, 1, 1};
  const std::vector<double> decay{1, 0, 0, 0.25, 1, 0.25};
  const std::vector<double> frozen{0, 0, kNever, 2.5, kNever, 2.5};
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    EXPECT_EQ(ranges[i].rate_factor, rate[i]) << i;
    EXPECT_EQ(ranges[i].decay_factor, decay[i]) << i;
    EXPECT_EQ(ranges[i].frozen_from, frozen[i]) << i;
  }
}

TEST(ParameterRanges, APatternThatMatchesNothingIsAnErrorWithTheNamesThereAre) {
  try {
    (void)parameter_ranges(groups_network(), {{.name = "norms", .match = {"conv*", "bn*.bias"}}});
    FAIL() << "nothing was thrown";
  } catch (const ConfigError& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "optimizer.group.norms.match: 'bn*.bias' matches no parameter of the network; its parameters are "
        "conv1.weight, conv1.bias, batchnorm1.weight, batchnorm1.bias, dense1.weight, dense1.bias");
  }
}

TEST(DescribeGroups, NamesWhatIsInEach) {
  EXPECT_EQ(describe_groups(groups_network(), {}), "");
  EXPECT_EQ(describe_groups(groups_network(), {{.name = "all", .match = {"conv*.bias"}},
                                               {.name = "norms",
                                                .match = {"batch*"},
                                                .rate_factor = 64,
                                                .decay_factor = 0.5,
                                                .freeze_after_epochs = 3},
                                               {.name = "first", .match = {"conv1.*"}, .is_frozen = true}}),
            "Groups of parameters:\n"
            "  all (learning rate times 1): no parameter, all are in later groups\n"
            "  norms (learning rate times 64, weight decay times 0.5, frozen after 3 epochs): "
            "batchnorm1.weight, batchnorm1.bias\n"
            "  first (frozen): conv1.weight, conv1.bias\n");
}

}  // namespace
}  // namespace convoy::model
