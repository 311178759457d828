#include "convoy/layers/layer_line.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <tuple>

#include "convoy/core/error.hpp"

namespace convoy::nn {
namespace {

std::string error_of(const std::string& text, const std::function<void(LayerLine&)>& read) {
  try {
    LayerLine line({text, "net.ini:7"});
    read(line);
  } catch (const ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no ConfigError for '" << text << "'";
  return {};
}

TEST(LayerLine, HandsOutPositionalsAndOptionsInAnyOrderOfAsking) {
  LayerLine line({"conv 32 3x5 pad=1x2 stride=2 bias=no eps=0.5 name=first", "net.ini:7"}, 4);
  EXPECT_EQ(line.keyword(), "conv");
  EXPECT_EQ(line.ordinal(), 4U);
  EXPECT_EQ(line.take_option_pair("stride", {1, 1}, 1, 9), (std::pair<std::int64_t, std::int64_t>{2, 2}));
  EXPECT_EQ(line.take_integer("channels", 1, 99), 32);
  EXPECT_EQ(line.take_size("the kernel"), (std::pair<std::int64_t, std::int64_t>{3, 5}));
  EXPECT_EQ(line.take_option_pair("pad", {0, 0}, 0, 9), (std::pair<std::int64_t, std::int64_t>{1, 2}));
  EXPECT_FALSE(line.take_option_yes_no("bias", true));
  EXPECT_EQ(line.take_option_number("eps", 1, 0, 1), 0.5);
  EXPECT_EQ(line.take_option_text("name"), "first");
  line.finish("conv …");
}

TEST(LayerLine, GivesDefaultsForAbsentOptions) {
  LayerLine line({"conv", "net.ini:7"});
  EXPECT_EQ(line.take_option("groups", 3, 1, 9), 3);
  EXPECT_TRUE(line.take_option_yes_no("bias", true));
  EXPECT_EQ(line.take_option_text("name"), std::nullopt);
}

TEST(LayerLine, EveryErrorNamesOriginLineAndProblem) {
  const auto nothing = [](LayerLine&) {};
  const auto integer = [](LayerLine& line) { (void)line.take_integer("the count", 1, 9); };
  const auto number = [](LayerLine& line) { (void)line.take_number("the rate", 0, 1); };
  const auto size = [](LayerLine& line) { (void)line.take_size("the window"); };
  const auto option = [](LayerLine& line) { (void)line.take_option("n", 1, 1, 9); };
  const auto pair = [](LayerLine& line) { (void)line.take_option_pair("pad", {0, 0}, 0, 9); };
  const auto real = [](LayerLine& line) { (void)line.take_option_number("eps", 0.1, 0, 1); };
  const auto yes_no = [](LayerLine& line) { (void)line.take_option_yes_no("bias", true); };
  const auto finish = [](LayerLine& line) { line.finish("x [n=1]"); };
  const auto before = [](const std::string& text) { return "net.ini:7: layer '" + text + "': "; };
  const std::vector<std::tuple<std::string, std::function<void(LayerLine&)>, std::string>> cases{
      {"", nothing, "is empty (write a keyword, such as 'dense 10')"},
      {"x n=1 3", nothing, "'3' follows an option (positional values come before key=value)"},
      {"x n=1 n=2", nothing, "option 'n' is given twice"},
      {"x", integer, "the count is missing"},
      {"x 10", integer, "the count '10' is wrong (it takes an integer from 1 to 9)"},
      {"x 3.5", integer, "the count '3.5' is wrong (it takes an integer from 1 to 9)"},
      {"x 1", number, "the rate '1' is wrong (it takes a number from 0 to below 1)"},
      {"x nan", number, "the rate 'nan' is wrong (it takes a number from 0 to below 1)"},
      {"x 3", size, "the window '3' is wrong (it takes height x width, such as 3x3)"},
      {"x 0x3", size, "the window '0x3' is wrong (it takes height x width, such as 3x3)"},
      {"x n=0", option, "option n='0' is wrong (it takes an integer from 1 to 9)"},
      {"x pad=1x-1", pair,
       "option pad='1x-1' is wrong (it takes an integer from 0 to 9, or two as height x width)"},
      {"x eps=2", real, "option eps='2' is wrong (it takes a number from 0 to 1)"},
      {"x bias=maybe", yes_no, "option bias='maybe' is wrong (it takes yes or no)"},
      {"x 3", finish, "'3' is one word too many (right: x [n=1])"},
      {"x m=3", finish, "unknown option 'm' (right: x [n=1])"},
  };
  for (const auto& [text, read, problem] : cases) EXPECT_EQ(error_of(text, read), before(text) + problem);
}

}  // namespace
}  // namespace convoy::nn
