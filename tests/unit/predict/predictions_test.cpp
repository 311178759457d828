// Tests the lines that `convoy predict` writes for one input.

#include "convoy/predict/predictions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace convoy::predict {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

const OutputMeaning kAnimals{nn::LossKind::kSoftmaxCrossEntropy, {"ape", "bee, wild", "cat"}, 3};
const OutputMeaning kNumbers{nn::LossKind::kQuadratic, {}, 2};

TEST(BestClasses, AreInTheOrderOfTheOutputsAndEqualOnesInTheOrderOfClasses) {
  const float outputs[] = {1, 3, 1};
  const std::vector<Candidate> best = best_classes(kAnimals, outputs, 5);
  ASSERT_EQ(best.size(), 3);
  EXPECT_EQ(best[0].class_number, 1);
  EXPECT_EQ(best[1].class_number, 0);
  EXPECT_EQ(best[2].class_number, 2);
  // e² / (e² + 2)
  EXPECT_NEAR(best[0].probability, 0.7869860421615985, 1e-15);
  EXPECT_EQ(best[1].probability, best[2].probability);
  EXPECT_EQ(best_classes(kAnimals, outputs, 1).size(), 1);
}

TEST(BestClasses, AnOutputThatIsNoNumberIsTheLast) {
  const float outputs[] = {kNan, -5, kNan};
  EXPECT_EQ(best_classes(kAnimals, outputs, 1).front().class_number, 1);
}

TEST(Lines, SayTheClassAndItsProbability) {
  const float outputs[] = {0, 3, 0};
  EXPECT_EQ(text_line(kAnimals, "a.png", outputs, 2), "a.png: bee, wild 90.94 %, ape 4.53 %\n");
  const std::string csv = csv_line(kAnimals, "a,b.png", outputs);
  EXPECT_TRUE(csv.starts_with("\"a,b.png\",1,\"bee, wild\",0.9094")) << csv;
  EXPECT_TRUE(csv.ends_with(",0,3,0\n")) << csv;
  EXPECT_EQ(csv_header(kAnimals), "input,class,class_name,probability,output_0,output_1,output_2\n");
  const auto json = nlohmann::json::parse(json_line(kAnimals, "a.png", outputs, 2));
  EXPECT_EQ(json["class_name"], "bee, wild");
  EXPECT_EQ(json["top"].size(), 2);
  EXPECT_EQ(json["top"][0]["class"], 1);
  EXPECT_EQ(json["outputs"], nlohmann::json({0.0, 3.0, 0.0}));
}

TEST(Lines, OfANetworkOfTargetsAreItsOutputs) {
  const float outputs[] = {0.5, -2};
  EXPECT_EQ(text_line(kNumbers, "f.h5:/x[3]", outputs, 5), "f.h5:/x[3]: 0.5 -2\n");
  EXPECT_EQ(csv_header(kNumbers), "input,output_0,output_1\n");
  EXPECT_EQ(csv_line(kNumbers, "f", outputs), "f,0.5,-2\n");
  EXPECT_EQ(json_line(kNumbers, "f", outputs, 5), "{\"input\":\"f\",\"outputs\":[0.5,-2]}\n");
}

TEST(Lines, AClassOfTheQuadraticLossHasNoProbability) {
  const OutputMeaning meaning{nn::LossKind::kQuadratic, {"no", "yes"}, 2};
  const float outputs[] = {0.25, 0.5};
  EXPECT_EQ(text_line(meaning, "a", outputs, 1), "a: yes 0.5\n");
  EXPECT_TRUE(nlohmann::json::parse(json_line(meaning, "a", outputs, 1))["probability"].is_null());
  EXPECT_EQ(csv_line(meaning, "a", outputs), "a,1,yes,,0.25,0.5\n");
}

}  // namespace
}  // namespace convoy::predict
