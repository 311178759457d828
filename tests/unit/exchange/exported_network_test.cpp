#include "convoy/exchange/exported_network.hpp"

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"
#include "convoy/exchange/torch_module.hpp"
#include "trained.hpp"

namespace convoy::exchange {
namespace {

TEST(ExportedNetwork, HasTheLayersWithAttributesTensorsAndNamesOfPython) {
  const ExportedNetwork network =
      exported(test::trained_network({"conv 3 3x3 pad=1 stride=2x1 name=first-one", "batchnorm name=class",
                                      "residual {", "dropout 0.5", "relu name=x", "}", "dense 2 bias=no"}),
               "F.h5");
  ASSERT_EQ(network.layers.size(), 6U);
  const ExportedLayer& conv = network.layers[0];
  EXPECT_EQ(conv.name, "first_one");
  EXPECT_EQ(conv.attribute<nn::HeightWidth>("stride"), (nn::HeightWidth{2, 1}));
  ASSERT_EQ(conv.parameters.size(), 2U);
  EXPECT_EQ(conv.parameters[0].name, "first_one.weight");
  EXPECT_EQ(conv.parameters[0].dims, (Dims{3, 2, 3, 3}));
  EXPECT_EQ(conv.parameters[0].values.size(), 54U);
  EXPECT_EQ(network.layers[1].name, "class_");
  EXPECT_EQ(network.layers[1].statistics[0].name, "class_.running_mean");
  EXPECT_EQ(network.layers[3].name, "x_");
  EXPECT_EQ(network.layers[4].kind, Operator::kAdd);
  EXPECT_EQ(network.layers[4].inputs, (std::vector<int>{3, 1}));
  EXPECT_EQ(network.layers[5].parameters.size(), 1U);
  EXPECT_EQ(network.outputs(), 2);
  const std::string module = torch_module(network);
  for (const char* line :
       {"self.first_one = nn.Conv2d(2, 3, (3, 3), stride=(2, 1), padding=(1, 1), bias=True)",
        "self.class_ = nn.BatchNorm2d(3, eps=1e-05, momentum=0.1)", "x_ = torch.relu(class_)",
        "add1 = x_ + class_", "dense1 = self.dense1(add1.flatten(1))", "return dense1"})
    EXPECT_NE(module.find(line), std::string::npos) << line << "\n" << module;
}

TEST(ExportedNetwork, RefusesTwoLayersOfOneNameInPython) {
  EXPECT_THROW((void)exported(test::trained_network({"dense 3 name=a-b", "dense 2 name=a.b"}), "F.h5"),
               ConfigError);
}

}  // namespace
}  // namespace convoy::exchange
