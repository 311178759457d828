#include "convoy/io/json.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace convoy::io {
namespace {

TEST(Json, KeepsTheOrderOfMembersAndWritesNoBlanks) {
  const Json list = Json::array({1, true, nullptr, Json::object()});
  EXPECT_EQ(to_text({{"b", 1}, {"a\"", {{"c", nullptr}}}, {"list", list}, {"empty", Json::array()}}),
            R"({"b":1,"a\"":{"c":null},"list":[1,true,null,{}],"empty":[]})");
}

TEST(Json, NumbersHave17DigitsAndReadBackToTheSameBits) {
  EXPECT_EQ(to_text(0.1), "0.10000000000000001");
  EXPECT_EQ(to_text(60.0), "60");
  EXPECT_EQ(to_text(std::int64_t{9007199254740993}), "9007199254740993");
  for (const double x : {1.0 / 3, -1e-300, 123456789.123456789, std::numeric_limits<double>::denorm_min()})
    EXPECT_EQ(Json::parse(to_text(x)).get<double>(), x);
}

TEST(Json, WhatIsNoNumberIsNull) {
  EXPECT_EQ(to_text({{"loss", std::nan("")}, {"rate", HUGE_VAL}}), R"({"loss":null,"rate":null})");
}

TEST(Json, TextsAreUtf8WhateverTheyAreGiven) {
  EXPECT_EQ(to_text("a\"b\\c\n"), R"("a\"b\\c\n")");
  EXPECT_EQ(to_text("M\xC3\xBCsli"), "\"M\xC3\xBCsli\"");
  EXPECT_EQ(to_text("caf\xE9"), "\"caf\xEF\xBF\xBD\"");  // U+FFFD
}

}  // namespace
}  // namespace convoy::io
