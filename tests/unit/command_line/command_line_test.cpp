#include "convoy/command_line/command_line.hpp"

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"

namespace convoy::apps {
namespace {

/// A parsed command with one option of each kind.
std::unique_ptr<CommandLine> parsed(const Arguments& arguments) {
  auto line = std::make_unique<CommandLine>("probe", "convoy probe FILE [MORE] [options]", "About it.");
  line->add_flag("all", "everything");
  line->add_value("count", "N", "how many");
  line->add_value("size", "HxW", "how large");
  line->add_value("shape", "CxHxW", "of what");
  line->expect_words(1, 2);
  EXPECT_TRUE(line->parse(arguments));
  return line;
}

std::string error_of(const Arguments& arguments) {
  try {
    const auto line = parsed(arguments);
    (void)line->integer("count", 1, 1, 9);
    (void)line->size("size", {1, 1}, 1, 9);
    (void)line->shape("shape", 9);
  } catch (const ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no ConfigError was thrown";
  return {};
}

void expect_mentions(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(CommandLine, GivesFlagsValuesAndWordsInAnyOrder) {
  const auto line = parsed({"a.h5", "--count", "3", "--all", "b.h5", "--size=2x4"});
  EXPECT_TRUE(line->has("all"));
  EXPECT_EQ(line->integer("count", 1, 1, 9), 3);
  EXPECT_EQ(line->size("size", {1, 1}, 1, 9), (std::pair<std::int64_t, std::int64_t>{2, 4}));
  EXPECT_EQ(line->words(), (std::vector<std::string>{"a.h5", "b.h5"}));
}

TEST(CommandLine, ReadsAShape) {
  EXPECT_EQ(parsed({"a.h5", "--shape", "3x2x9"})->shape("shape", 9), (Shape{3, 2, 9}));
  EXPECT_EQ(parsed({"a.h5"})->shape("shape", 9), std::nullopt);
}

TEST(CommandLine, GivesDefaultsWhereNothingIsSaid) {
  const auto line = parsed({"a.h5"});
  EXPECT_FALSE(line->has("all"));
  EXPECT_EQ(line->integer("count", 7, 1, 9), 7);
  EXPECT_FALSE(line->text("count"));
  EXPECT_THROW((void)line->required_text("count"), ConfigError);
}

TEST(CommandLine, RefusesUnknownAndShortenedOptions) {
  expect_mentions(error_of({"a.h5", "--cuont", "3"}), {"--cuont", "did you mean --count"});
  expect_mentions(error_of({"a.h5", "--cou", "3"}), {"unknown option --cou"});
}

TEST(CommandLine, TakesTheLastOfAValueGivenTwice) {
  const auto line =
      parsed({"a.h5", "--count", "ten", "--all", "--count=2", "--all", "--size", "1x1", "--size=3x4"});
  EXPECT_EQ(line->integer("count", 1, 1, 9), 2);
  EXPECT_EQ(line->size("size", {1, 1}, 1, 9), (std::pair<std::int64_t, std::int64_t>{3, 4}));
  expect_mentions(error_of({"a.h5", "--count", "1", "--count", "ten"}), {"--count", "'ten'"});
}

TEST(CommandLine, RefusesMissingAndWrongValues) {
  expect_mentions(error_of({"a.h5", "--count"}), {"--count", "missing"});
  expect_mentions(error_of({"a.h5", "--count", "ten"}), {"--count", "'ten'", "an integer from 1 to 9"});
  expect_mentions(error_of({"a.h5", "--count", "10"}), {"--count", "'10'", "an integer from 1 to 9"});
  expect_mentions(error_of({"a.h5", "--size", "3"}), {"--size", "'3'", "HEIGHTxWIDTH"});
  for (const std::string wrong : {"3", "3x2", "3x2x10", "0x2x2", "3x2x2x2", "ax2x2", "x2x2", "3x2x"})
    expect_mentions(error_of({"a.h5", "--shape", wrong}),
                    {"--shape", "'" + wrong + "'", "CHANNELSxHEIGHTxWIDTH"});
  expect_mentions(error_of({"a.h5", "--all=yes"}), {"--all"});
}

TEST(CommandLine, RefusesTooFewAndTooManyWords) {
  expect_mentions(error_of({}), {"missing", "convoy probe FILE"});
  expect_mentions(error_of({"a", "b", "c"}), {"stray word 'c'"});
}

}  // namespace
}  // namespace convoy::apps
