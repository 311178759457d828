#include "convoy/library/options.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "samples.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy {
namespace {

using test::error_of;

TEST(LibraryOptions, TakeValuesOfEveryTypeAndTheLastOfAKey) {
  Options options{
      {"train.epochs", 7}, {"schedule.lr", 0.1}, {"data.shuffle", false}, {"train.precision", "bf16"}};
  options.set({"train.epochs", 9});
  const config::Options read = options.with_network({"dense 2"}, Loss::kQuadratic);
  EXPECT_EQ(read.epochs, 9);
  EXPECT_EQ(read.schedule.lr, 0.1);
  EXPECT_FALSE(read.data.shuffle);
  EXPECT_EQ(read.precision, Precision::kBfloat16);
  EXPECT_EQ(read.layers.size(), 1U);
}

TEST(LibraryOptions, RefuseWhatIsUnknownUselessOrWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {error_of([] {
         (void)Options{{"train.epoch", 3}};
       }),
       "ConfigError: unknown key train.epoch (did you mean"},
      {error_of([] {
         (void)Options{{"data.file", "x.h5"}};
       }),
       "data.file = 'x.h5' has no use in a fit"},
      {error_of([] {
         (void)Options{{"run.dir", "runs"}};
       }),
       "run.dir = 'runs' has no use in a fit"},
      {error_of([] {
         (void)Options{{"train.epochs", 3}}.with_network({"dense 2"}, Loss::kQuadratic);
       }),
       "schedule.lr is missing"},
      {error_of([] {
         (void)Options{{"schedule.lr", 0.1}, {"train.epochs", -3}}.with_network({"dense 2"},
                                                                                Loss::kQuadratic);
       }),
       "options: train.epochs = '-3' is not"}};
  for (const auto& [message, fragment] : cases)
    EXPECT_NE(message.find(fragment), std::string::npos) << "want: " << fragment << "\ngot:  " << message;
}

TEST(LibraryOptions, ReadTheKeysOfAFitFromAnIniFile) {
  const test::ScratchFolder folder;
  const std::string file = folder / "a.ini";
  std::ofstream(file)
      << "[data]\nfile = x.h5\naugment = crop=1\n[network]\nlayer = dense 9\n[train]\nepochs = 4\n"
         "[schedule]\nlr = 0.5\n[run]\ndir = runs\n";
  const config::Options read = Options::read(file).with_network({"dense 2"}, Loss::kQuadratic);
  EXPECT_EQ(read.epochs, 4);
  EXPECT_EQ(read.data.augment.crop, 1);
  EXPECT_EQ(read.layers.front().text, "dense 2");
  EXPECT_TRUE(read.dir.empty());
}

}  // namespace
}  // namespace convoy
