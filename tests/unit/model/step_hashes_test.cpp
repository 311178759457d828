#include "convoy/model/step_hashes.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "convoy/core/error.hpp"
#include "convoy/core/hash.hpp"
#include "convoy/optim/optimizers.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::model {
namespace {

using Kind = HashedPart::Kind;

nn::Network small_network() {
  return {{1, 4, 4},
          {{"conv 2 3x3", "test"}, {"batchnorm", "test"}, {"relu", "test"}, {"dense 3", "test"}},
          nn::LossKind::kSoftmaxCrossEntropy,
          std::nullopt};
}

/// With parameters 1, 2, 3, … and statistics that follow.
State numbered_state(const nn::Network& network, const optim::Optimizer& optimizer) {
  State state = make_state(network, &optimizer);
  float next = 1;
  for (const std::span<float> values : {state.parameters, state.statistics})
    for (float& value : values) value = next++;
  return state;
}

std::vector<std::uint64_t> hashes_of(const nn::Network& network, const State& state, int threads) {
  return state_hashes(network, state, comm::Communicator::self(), threads);
}

class StepHashesFile : public testing::Test {
 protected:
  [[nodiscard]] std::string file(const std::string& text) const {
    const std::string path = folder_ / "hashes.jsonl";
    std::ofstream(path) << text;
    return path;
  }
  [[nodiscard]] std::string message(const std::string& text) const {
    return test::message_of<DataError>([&] {
      StepHashes hashes(file(text));
      while (hashes.next()) {
      }
    });
  }

  test::ScratchFolder folder_;
  const std::vector<HashedPart> parts_{{Kind::kOutput, "conv1"}, {Kind::kState, "/model/conv1/weight"}};
};

TEST(SumOfHashes, OfPartsAddUpInAnyPartitionAndKnowTheirPlace) {
  std::vector<float> values;
  for (int i = 0; i < 100; ++i) values.push_back(static_cast<float>(i % 7));
  const std::uint64_t whole = sum_of_hashes(values, 0);
  const std::span<const float> all(values);
  EXPECT_EQ(sum_of_hashes(all.first(33), 0) + sum_of_hashes(all.subspan(33), 33), whole);
  std::swap(values[3], values[5]);
  EXPECT_NE(sum_of_hashes(values, 0), whole);
}

TEST(SumOfHashes, ChangeWithEveryBitOfEveryValue) {
  std::vector<float> values(20);  // zeros, too
  const std::uint64_t before = sum_of_hashes(values, 0);
  for (float& value : values) {
    for (int bit = 0; bit < 32; ++bit) {
      value = std::bit_cast<float>(std::uint32_t{1} << bit);
      EXPECT_NE(sum_of_hashes(values, 0), before);
    }
    value = 0;
  }
}

TEST(HashedParts, AreInTheOrderOfAStep) {
  const nn::Network network = small_network();
  const auto optimizer = optim::make_sgd({.momentum = 0.9});
  const State state = make_state(network, optimizer.get());
  const std::vector<HashedPart> tensors = hashed_parts(Hashed::kState, network, state);
  EXPECT_EQ(tensors.front(), (HashedPart{Kind::kState, "/model/conv1/weight"}));
  EXPECT_EQ(tensors[1], (HashedPart{Kind::kState, "/optimizer/momentum/conv1/weight"}));
  EXPECT_EQ(tensors.back(), (HashedPart{Kind::kState, "/model/batchnorm1/running_var"}));
  std::vector<HashedPart> all{
      {Kind::kOutput, "conv1"},    {Kind::kOutput, "batchnorm1 + relu1"},   {Kind::kOutput, "dense1"},
      {Kind::kGradient, "dense1"}, {Kind::kGradient, "batchnorm1 + relu1"}, {Kind::kGradient, "conv1"}};
  all.insert(all.end(), tensors.begin(), tensors.end());
  EXPECT_EQ(hashed_parts(Hashed::kLayers, network, state), all);
  EXPECT_TRUE(hashed_parts(Hashed::kNone, network, state).empty());
}

TEST(StateHashes, ChangeInTheTensorThatChangesAndNotWithThreads) {
  const nn::Network network = small_network();
  const auto optimizer = optim::make_sgd({.momentum = 0.9});
  State state = numbered_state(network, *optimizer);
  const std::vector<std::uint64_t> before = hashes_of(network, state, 1);
  EXPECT_EQ(hashes_of(network, state, 3), before);
  const std::vector<HashedPart> parts = hashed_parts(Hashed::kState, network, state);
  const auto changed = [&](float& value) {
    const float old = std::exchange(value, value + 1);
    const std::vector<std::uint64_t> after = hashes_of(network, state, 1);
    value = old;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < after.size(); ++i)
      if (after[i] != before[i]) names.push_back(parts[i].name);
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(changed(state.parameters.back()), Names{"/model/dense1/bias"});
  EXPECT_EQ(changed(state.statistics.front()), Names{"/model/batchnorm1/running_mean"});
  EXPECT_EQ(changed(*state.optimizer.front().values.at(0)), Names{"/optimizer/momentum/conv1/weight"});
}

TEST_F(StepHashesFile, ComesBack) {
  StepHashes hashes(file(parts_line(0, parts_) + '\n' + hashes_line(1, std::vector<std::uint64_t>{1, 2}) +
                         '\n' + parts_line(1, {parts_.back()}) + '\n' +
                         hashes_line(2, std::vector<std::uint64_t>{~std::uint64_t{0}}) + '\n'));
  ASSERT_TRUE(hashes.next());
  EXPECT_EQ(hashes.step(), 1);
  EXPECT_EQ(hashes.parts(), parts_);
  EXPECT_EQ(hashes.hashes(), (std::vector<std::uint64_t>{1, 2}));
  ASSERT_TRUE(hashes.next());
  EXPECT_EQ(hashes.step(), 2);
  EXPECT_EQ(hashes.parts(), std::vector{parts_.back()});
  EXPECT_EQ(hashes.hashes(), std::vector{~std::uint64_t{0}});
  EXPECT_FALSE(hashes.next());
}

TEST_F(StepHashesFile, LastLineMayBeCutShort) {
  const std::string line = hashes_line(1, std::vector<std::uint64_t>{1, 2});
  StepHashes hashes(file(parts_line(0, parts_) + '\n' + line));
  EXPECT_FALSE(hashes.next());
}

TEST_F(StepHashesFile, OtherLinesAreErrors) {
  const std::string parts = parts_line(0, parts_) + '\n';
  EXPECT_NE(message("{}\n").find("line 1 of"), std::string::npos);
  EXPECT_NE(message(parts + "no JSON\n").find("line 2 of"), std::string::npos);
  EXPECT_NE(
      message(parts + R"({"event":"hashes","step":1,"hashes":"12"})" + '\n').find("has 2 digits, not 16"),
      std::string::npos);
  EXPECT_NE(message(parts + R"({"event":"hashes","step":1,"hashes":")" + std::string(32, 'g') + "\"}\n")
                .find("hexadecimal"),
            std::string::npos);
  EXPECT_NE(message(parts + R"({"event":"other","step":1})" + '\n').find("neither"), std::string::npos);
  EXPECT_NE(message(R"({"event":"parts","step":0,"outputs":[1]})"
                    "\n")
                .find("no text"),
            std::string::npos);
  EXPECT_THROW(StepHashes(folder_ / "none"), IoError);
}

}  // namespace
}  // namespace convoy::model
