#include "convoy/comm/wire.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace convoy::comm {
namespace {

float in_form(Wire wire, float value) {
  round_node(wire, {&value, 1});
  return value;
}

TEST(Wire, Float32ChangesNothing) {
  EXPECT_EQ(in_form(Wire::kFloat32, 1.0F / 3), 1.0F / 3);
  EXPECT_EQ(wire_bytes(Wire::kFloat32), 4);
}

TEST(Wire, Bfloat16RoundsToEightSignificantBitsTiesToEven) {
  EXPECT_EQ(wire_bytes(Wire::kBfloat16), 2);
  for (const auto& [value, rounded] :
       std::vector<std::pair<float, float>>{{1, 1},
                                            {1 + 1.0F / 256, 1},              // a tie
                                            {1 + 3.0F / 256, 1 + 1.0F / 64},  // a tie
                                            {1 + 1.1F / 256, 1 + 1.0F / 128},
                                            {-1 - 1.1F / 256, -1 - 1.0F / 128},
                                            {-0.0F, -0.0F}})
    EXPECT_EQ(std::bit_cast<std::uint32_t>(in_form(Wire::kBfloat16, value)),
              std::bit_cast<std::uint32_t>(rounded))
        << value;
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(in_form(Wire::kBfloat16, infinity), infinity);
  EXPECT_TRUE(std::isnan(in_form(Wire::kBfloat16, std::numeric_limits<float>::quiet_NaN())));
  EXPECT_TRUE(std::isnan(in_form(Wire::kBfloat16, std::bit_cast<float>(0x7f800001U))));  // not infinity
}

TEST(Wire, EachRoundingIsOffByAtMostA256th) {
  for (float value = 1e-30F; value < 1e30F; value *= 1.01F)
    EXPECT_LE(std::abs(in_form(Wire::kBfloat16, value) - value), value / 256);
}

TEST(Wire, WhatIsPackedInPlaceIsUnpackedInPlace) {
  for (const Wire wire : {Wire::kFloat32, Wire::kBfloat16}) {
    for (const std::size_t size : {0, 1, 2, 63, 64, 65, 128, 200}) {
      std::vector<float> sent(size);
      for (std::size_t i = 0; i < size; ++i) sent[i] = in_form(wire, std::sin(static_cast<float>(i) + 1));
      const std::vector<float> expected = sent;
      std::vector<float> received(size);
      pack(wire, sent);
      const std::span<std::byte> room = packed(wire, received);
      ASSERT_EQ(room.size(), size * static_cast<std::size_t>(wire_bytes(wire)));
      std::copy_n(std::as_bytes(std::span(sent)).begin(), room.size(), room.begin());
      unpack(wire, received);
      EXPECT_EQ(received, expected) << size;
    }
  }
}

}  // namespace
}  // namespace convoy::comm
