#include "convoy/core/hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace convoy {
namespace {

TEST(Hash, IsXxh128) {
  EXPECT_EQ(to_hex(hash(std::string_view(""))), "99aa06d3014798d86001c324468d497f");  // xxh128sum of nothing
}

TEST(Hasher, OfPiecesEqualsTheWhole) {
  const std::string text(5000, 'x');
  Hasher hasher;
  for (std::size_t i = 0; i < text.size(); i += 777) hasher.update(std::string_view(text).substr(i, 777));
  EXPECT_EQ(hasher.digest(), hash(text));
}

}  // namespace
}  // namespace convoy
