#include "command_line/config_options.hpp"

#include <algorithm>
#include <sstream>

#include "unit/config/helpers.hpp"

namespace convoy::config {
namespace {
namespace po = boost::program_options;

Options load_words(const std::vector<std::string>& words) {
  const po::options_description options = apps::command_line_options();
  return apps::load_config(
      po::command_line_parser(words)
          .options(options)
          .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
          .run());
}

TEST(CommandLine, BeatsTheLastFileWhichBeatsTheOnesBefore) {
  const TemporaryFolder folder;
  const std::string a =
      folder.write("a.ini", std::string(kLeast) + "[train]\nbatch = 64\nepochs = 3\nseed = 5\n");
  const std::string b = folder.write("b.ini", "[train]\nbatch = 32\nepochs = 4\n");
  const Options options = load_words({"--train.batch", "16", "--config", a, "--config", b});
  EXPECT_EQ(options.batch, 16);
  EXPECT_EQ(options.epochs, 4);
  EXPECT_EQ(options.seed, 5U);
}

TEST(CommandLine, LayersReplaceThoseOfFiles) {
  const TemporaryFolder folder;
  const std::string a = folder.write("a.ini", kLeast);
  const Options options =
      load_words({"--config", a, "--network.layer", "conv 8 3x3", "--network.layer=dense 4"});
  ASSERT_EQ(options.layers.size(), 2U);
  EXPECT_EQ(options.layers[0].text, "conv 8 3x3");
  EXPECT_EQ(options.layers[0].origin, "command line");
  EXPECT_EQ(options.layers[1].text, "dense 4");
}

TEST(CommandLine, TakesNegativeNumbersAsValues) {
  const TemporaryFolder folder;
  const std::string a = folder.write("a.ini", kLeast);
  expect_mentions(config_error([&] {
                    (void)load_words({"--config", a, "--schedule.lr", "-0.1"});
                  }),
                  {"command line", "schedule.lr", "'-0.1'", "above 0"});
}

TEST(CommandLine, TakesTheLastOfAKeyGivenTwice) {
  expect_mentions(config_error([] {
                    (void)load_words({"--train.batch", "none", "--train.batch", "nine"});
                  }),
                  {"train.batch = 'none'"});
  // The first is right, the last is judged.
  expect_mentions(config_error([] {
                    (void)load_words({"--train.batch", "8", "--train.batch", "nine"});
                  }),
                  {"train.batch = 'nine'"});
}

TEST(CommandLine, RefusesLineBreaksAndEmptyValues) {
  expect_mentions(config_error([] { (void)load_words({"--run.dir", "a\nb"}); }), {"run.dir", "line break"});
  expect_mentions(config_error([] { (void)load_words({"--run.dir", " "}); }), {"run.dir", "no value"});
}

TEST(CommandLine, RefusesALayerThatACheckpointCouldNotKeep) {
  expect_mentions(config_error([] {
                    (void)load_words({"--network.layer", "dense 10 name=a#b"});
                  }),
                  {"network.layer", "a#b", "without '#'"});
}

TEST(CommandLine, HelpNamesEveryKeyOfTheEffectiveConfiguration) {
  std::ostringstream help;
  help << apps::command_line_options();
  const Options options = least_and("[schedule]\nstep-epochs = 1\n");
  for (const Setting& setting : read_ini(effective_ini(options), "a.ini"))
    expect_mentions(help.str(), {"--" + setting.key + " "});
}

TEST(CommandLine, HelpNamesNoDefaultThatIsEmpty) {
  const po::options_description all = apps::command_line_options();
  for (const auto& option : all.options())
    EXPECT_FALSE(option->description().ends_with("default ")) << option->long_name();
}

}  // namespace
}  // namespace convoy::config
