#include "convoy/comm/wire.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace convoy::comm {
namespace {

constexpr std::size_t kBlock = 64;  // numbers converted at a time: source and destination overlap

float rounded(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t nearest = (bits + 0x7fffU + ((bits >> 16) & 1U)) & 0xffff0000U;
  const std::uint32_t quiet = (bits | 0x00400000U) & 0xffff0000U;
  return std::bit_cast<float>((bits & 0x7fffffffU) > 0x7f800000U ? quiet : nearest);
}

}  // namespace

void round_node(Wire wire, std::span<float> values) {
  if (wire == Wire::kFloat32) return;
  for (float& value : values) value = rounded(value);
}

void add_node(Wire wire, std::span<float> left, const float* right) {
  if (wire == Wire::kFloat32) {
    for (std::size_t i = 0; i < left.size(); ++i) left[i] += right[i];
  } else {
    for (std::size_t i = 0; i < left.size(); ++i) left[i] = rounded(left[i] + right[i]);
  }
}

std::int64_t wire_bytes(Wire wire) {
  return wire == Wire::kFloat32 ? 4 : 2;
}

void pack(Wire wire, std::span<float> values) {
  if (wire == Wire::kFloat32) return;
  std::array<std::uint16_t, kBlock> halves;
  auto* to = reinterpret_cast<std::byte*>(values.data());
  for (std::size_t begin = 0; begin < values.size(); begin += kBlock) {
    const std::size_t size = std::min(kBlock, values.size() - begin);
    for (std::size_t i = 0; i < size; ++i)
      halves[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(values[begin + i]) >> 16);
    std::memcpy(to + begin * sizeof(std::uint16_t), halves.data(), size * sizeof(std::uint16_t));
  }
}

std::span<std::byte> packed(Wire wire, std::span<float> values) {
  // Packed bytes go to the end, so that unpack() in ascending order never overwrites unread input.
  const std::span<std::byte> all = std::as_writable_bytes(values);
  return all.last(values.size() * static_cast<std::size_t>(wire_bytes(wire)));
}

void unpack(Wire wire, std::span<float> values) {
  if (wire == Wire::kFloat32) return;
  std::array<std::uint16_t, kBlock> halves;
  const std::byte* from = packed(wire, values).data();
  for (std::size_t begin = 0; begin < values.size(); begin += kBlock) {
    const std::size_t size = std::min(kBlock, values.size() - begin);
    std::memcpy(halves.data(), from + begin * sizeof(std::uint16_t), size * sizeof(std::uint16_t));
    for (std::size_t i = 0; i < size; ++i)
      values[begin + i] = std::bit_cast<float>(static_cast<std::uint32_t>(halves[i]) << 16);
  }
}

}  // namespace convoy::comm
