#include "convoy/core/text.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace convoy {
namespace {

TEST(ParseInteger, TakesWholeDecimalNumbersAlone) {
  EXPECT_EQ(parse_integer("42"), 42);
  EXPECT_EQ(parse_integer("-7"), -7);
  EXPECT_EQ(parse_integer("9223372036854775807"), INT64_MAX);
  for (const char* bad : {"", " 1", "1 ", "1.0", "0x10", "1e3", "9223372036854775808", "+-1", "--1", "seven"})
    EXPECT_FALSE(parse_integer(bad)) << bad;
}

TEST(ParseNumber, TakesFiniteNumbersAlone) {
  EXPECT_EQ(parse_number("5e-4"), 5e-4);
  EXPECT_EQ(parse_number("1"), 1);
  for (const char* bad : {"", "nan", "inf", "1e999", "0.1x", "1,5", "+-1"})
    EXPECT_FALSE(parse_number(bad)) << bad;
}

TEST(ParseDuration, ReadsPlainSecondsAndUnits) {
  EXPECT_EQ(parse_duration("90"), 90);
  EXPECT_EQ(parse_duration("UNLIMITED"), 0);
  EXPECT_EQ(parse_duration("infinite"), 0);
  EXPECT_EQ(parse_duration("3h50m"), 3 * 3600 + 50 * 60);
  EXPECT_EQ(parse_duration("1d2h"), 86400 + 7200);
  EXPECT_EQ(parse_duration("45s"), 45);
  EXPECT_EQ(parse_duration("30:05"), 1805);
  EXPECT_EQ(parse_duration("01:30:00"), 5400);
  EXPECT_EQ(parse_duration("1-12"), 36 * 3600);
  EXPECT_EQ(parse_duration("2-00:30"), 48 * 3600 + 1800);
  EXPECT_EQ(parse_duration("1-00:00:07"), 86407);
  for (const char* bad : {":", "1:", ":1", "1:2:3:4", "-", "1-", "-1:00", "1:-5", "1:00s", "1-2-3"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
  for (const char* bad : {"", "h", "5m3h", "3x", "-1", "1h30", "99999999999999999999d"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(ParsePair, ReadsKernelSizes) {
  EXPECT_EQ(parse_pair("5x3"), (std::pair<std::int64_t, std::int64_t>{5, 3}));
  for (const char* bad : {"5", "x5", "5x", "5x5x5", "5X5"}) EXPECT_FALSE(parse_pair(bad)) << bad;
}

TEST(JsonNumber, ReadsBackToTheSameBits) {
  for (double x : {0.1, 1.0 / 3, 1e-300, 123456789.123456789}) EXPECT_EQ(std::stod(json_number(x)), x);
  EXPECT_EQ(json_number(std::nan("")), "null");
  EXPECT_EQ(json_number(INFINITY), "null");
}

TEST(IsUtf8, KnowsEveryLengthAndItsBounds) {
  for (const char* good :
       {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "a\xC3\xA9z"})
    EXPECT_TRUE(is_utf8(good)) << good;
  // A byte too many or too few, overlong forms, a surrogate, a value above U+10FFFF, invalid bytes.
  for (const char* bad : {"\x80", "a\xC3", "\xC3z", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",
                          "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
}

TEST(InRanges, JoinsNeighbours) {
  EXPECT_EQ(in_ranges({}), "");
  EXPECT_EQ(in_ranges({7}), "7");
  EXPECT_EQ(in_ranges({0, 1, 2, 5, 8, 9}), "0-2,5,8-9");
}

TEST(Grouped, PutsACommaEveryThreeDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1000), "-1,000");
}

}  // namespace
}  // namespace convoy
