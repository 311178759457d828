#include "convoy/comm/packer.hpp"

#include <gtest/gtest.h>

namespace convoy::comm {
namespace {

TEST(Packer, GivesBackWhatWasPutIn) {
  Packer packer;
  packer.put(std::int64_t{-3});
  packer.put_text(std::string_view("with \0 and \n", 12));
  packer.put(0.1);
  packer.put_texts({"", "a", "bc"});
  packer.put(std::vector<float>{1.5F, -0.0F});
  packer.put(std::vector<int>{});
  packer.put('x');

  Unpacker from(packer.message());
  EXPECT_EQ(from.get<std::int64_t>(), -3);
  EXPECT_EQ(from.get_text(), std::string("with \0 and \n", 12));
  EXPECT_EQ(from.get<double>(), 0.1);
  EXPECT_EQ(from.get_texts(), (std::vector<std::string>{"", "a", "bc"}));
  EXPECT_EQ(from.get_vector<float>(), (std::vector<float>{1.5F, -0.0F}));
  EXPECT_TRUE(from.get_vector<int>().empty());
  EXPECT_FALSE(from.is_at_end());
  EXPECT_EQ(from.get<char>(), 'x');
  EXPECT_TRUE(from.is_at_end());
}

TEST(Packer, NothingIsTheEmptyMessage) {
  const Packer packer;
  EXPECT_TRUE(packer.message().empty());
  EXPECT_TRUE(Unpacker(packer.message()).is_at_end());
}

}  // namespace
}  // namespace convoy::comm
