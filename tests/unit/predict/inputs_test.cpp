// Tests how the words of `convoy predict` are understood.

#include "convoy/predict/inputs.hpp"

#include <gtest/gtest.h>

#include "convoy/core/error.hpp"

namespace convoy::predict {
namespace {

TEST(ParseArray, ReadsFilePathAndRange) {
  const std::optional<Array> whole = parse_array("a/b.h5:/train/images");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->file, "a/b.h5");
  EXPECT_EQ(whole->path, "/train/images");
  EXPECT_FALSE(whole->rows);
  const std::optional<Array> part = parse_array("b.h5:/x[10:20]");
  ASSERT_TRUE(part && part->rows);
  EXPECT_EQ(part->path, "/x");
  EXPECT_EQ(*part->rows, (Range{10, 20}));
}

TEST(ParseArray, IsNothingWithoutAPathInTheFile) {
  for (const char* text : {"a.png", "a.h5", ":/x", "a.h5:x", ""}) EXPECT_FALSE(parse_array(text)) << text;
}

TEST(ParseArray, RefusesARangeThatIsNone) {
  for (const char* text :
       {"a.h5:/x[]", "a.h5:/x[3]", "a.h5:/x[a:b]", "a.h5:/x[1:]", "a.h5:/x]", "a.h5:/x[1:2:3]"})
    EXPECT_THROW((void)parse_array(text), ConfigError) << text;
}

}  // namespace
}  // namespace convoy::predict
