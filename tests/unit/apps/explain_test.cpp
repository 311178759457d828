// The output of `convoy explain`.

#include "convoy/check/explanation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "apps/command.hpp"

namespace convoy::apps {
namespace {

using check::Below;
using check::Derivation;
using check::explain;
using check::Explanation;
using check::Image;

constexpr std::uint64_t kSeed = 7;

Derivation derived(const Image& image, const Image& kernel, Below below) {
  return check::derive(image, kernel, 1, 0, below);
}

Explanation explanation(const Image& image, const Image& kernel) {
  return explain(derived(image, kernel, Below::kImage), derived(image, kernel, Below::kSigmoid), kSeed);
}

void expect_says(const Explanation& got, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(got.text.find(part), std::string::npos) << part << "\n" << got.text;
}

/// 1 2 / 3 -1 with w = 1 -2: v = -2 1, z(0,0) = -2·1 + 1·2 + 1 = 1, z(1,0) = -2·3 + 1·(-1) + 1 = -6; y = (1,
/// 0).
const Image kImage{2, 2, {1, 2, 3, -1}};
const Image kKernel{1, 2, {1, -2}};

TEST(Explain, ShowsTheSumsOnFingers) {
  const Explanation got = explanation(kImage, kKernel);
  EXPECT_TRUE(got.holds);
  expect_says(got, {"z(0,0) = w(0,1)·a(0,0) + w(0,0)·a(0,1) + b", "= (-2)·1 + 1·2 + 1 = 1",
                    "z(1,0) = (-2)·3 + 1·(-1) + 1 = -6",
                    // δ = (0, -6): δ_a(0,0) = δ(0,0)·w(0,1), ∂C/∂w(0,0) = δ(0,0)·a(0,1) + δ(1,0)·a(1,1).
                    "δ_a(0,0) = δ(0,0)·w(0,1)", "δ_a(1,0) = (-6)·(-2) = 12",
                    "∂C/∂w(0,0) = δ(0,0)·a(0,1) + δ(1,0)·a(1,1)", "= 0·2 + (-6)·(-1) = 6",
                    "∂C/∂w(0,1) = 0·1 + (-6)·3 = -18"});
}

TEST(Explain, ShowsTheFourStepsAndBothAnswersSideBySide) {
  expect_says(explanation(kImage, kKernel),
              {"Step 1. A multilayer perceptron", "Step 2. Cut connections", "Step 3. Share weights",
               "Step 4. What is left is a convolution", "z of the perceptron    z of the convolution layer\n",
               "the same, number for number: yes", "without the rotation it is wrong: yes",
               "the full convolution with ROT180(w): yes", "All of it holds"});
}

TEST(Explain, SaysThatASymmetricKernelShowsNothingOfTheRotation) {
  const Explanation got = explanation(kImage, {1, 2, {2, 2}});
  EXPECT_TRUE(got.holds);
  expect_says(got, {"this w is its own rotation"});
  EXPECT_EQ(got.text.find("without the rotation it is wrong"), std::string::npos);
}

TEST(Explain, SaysNoWhereTheTwoAnswersDiffer) {
  Derivation plain = derived(kImage, kKernel, Below::kImage);
  const Derivation sigmoid = derived(kImage, kKernel, Below::kSigmoid);
  plain.convolution.z.values[1] += 1;
  const Explanation got = explain(plain, sigmoid, kSeed);
  EXPECT_FALSE(got.holds);
  expect_says(got, {"the same, number for number: NO", "NOT all of it holds"});
}

TEST(Explain, SaysNoWhereTheRotationMakesNoDifferenceThatItMust) {
  Derivation plain = derived(kImage, kKernel, Below::kImage);
  plain.unrotated_delta = plain.convolution.delta_below;
  EXPECT_FALSE(explain(plain, derived(kImage, kKernel, Below::kSigmoid), kSeed).holds);
}

TEST(Explain, HoldsAndFitsIn100ColumnsForManySizes) {
  for (const auto& [size, kernel] :
       std::vector<std::array<std::pair<std::int64_t, std::int64_t>, 2>>{{{{1, 1}, {1, 1}}},
                                                                         {{{4, 4}, {2, 2}}},
                                                                         {{{6, 5}, {3, 2}}},
                                                                         {{{12, 12}, {5, 5}}},
                                                                         {{{12, 12}, {12, 12}}},
                                                                         {{{3, 12}, {1, 4}}}}) {
    const check::Example example = check::draw_example(kSeed, size, kernel);
    const Explanation got = explanation(example.image, example.kernel);
    EXPECT_TRUE(got.holds) << got.text;
    std::istringstream lines(got.text);
    for (std::string line; std::getline(lines, line);) {
      const auto columns = std::count_if(
          line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
      EXPECT_LE(columns, 100) << line;
    }
  }
}

TEST(Explain, RefusesAKernelLargerThanTheImage) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_program({"explain", "--size", "3x4", "--kernel", "4x2"}), 2);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("--kernel 4x2 is larger than the image, --size 3x4"),
            std::string::npos);
}

TEST(Explain, PrintsTheSameTextForTheSameSeed) {
  const auto run = [](const std::string& seed) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run_program({"explain", "--seed", seed}), 0);
    return testing::internal::GetCapturedStdout();
  };
  EXPECT_EQ(run("3"), run("3"));
  EXPECT_NE(run("3"), run("4"));
}

}  // namespace
}  // namespace convoy::apps
