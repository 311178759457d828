#include "convoy/arrays/numpy_header.hpp"

#include <gtest/gtest.h>

namespace convoy::arrays {
namespace {

using namespace std::string_literals;

std::string header_of(const std::string& text, const std::string& version = "\x01\0"s) {
  std::string length{static_cast<char>(text.size()), '\0'};
  if (version[0] > 1) length += "\0\0"s;
  return "\x93NUMPY" + version + length + text;
}

TEST(NumpyHeader, HasTypeOrderAndExtents) {
  const std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 28, 28), }\n";
  for (const std::string& version : {"\x01\0"s, "\x02\0"s, "\x03\0"s}) {
    const std::string whole = header_of(text, version);
    const auto header = parse_numpy_header(whole + "numbers");
    ASSERT_TRUE(header);
    EXPECT_EQ(header->type, "<f4");
    EXPECT_FALSE(header->is_fortran);
    EXPECT_EQ(header->dims, (Dims{3, 28, 28}));
    EXPECT_EQ(header->bytes, whole.size());
  }
  EXPECT_TRUE(parse_numpy_header(header_of("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n"))
                  ->is_fortran);
  EXPECT_EQ(parse_numpy_header(header_of("{'descr': '|u1', 'fortran_order': False, 'shape': (), }\n"))->dims,
            Dims{});
  EXPECT_EQ(
      parse_numpy_header(header_of("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (5,), }\n"))
          ->type,
      "");
}

TEST(NumpyHeader, IsNothingWhereverItEnds) {
  const std::string whole = header_of("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n");
  ASSERT_TRUE(parse_numpy_header(whole));
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    EXPECT_FALSE(parse_numpy_header(whole.substr(0, bytes))) << bytes;
  for (const char* text :
       {"{'descr': '<f4', 'shape': (-3,), }", "{'descr': '<f4', 'shape': (x,), }", "{'shape': (3,), }"})
    EXPECT_FALSE(parse_numpy_header(header_of(text))) << text;
}

}  // namespace
}  // namespace convoy::arrays
