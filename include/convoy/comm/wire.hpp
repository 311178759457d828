#pragma once
// The number format of the nodes of the gradient tree (comm/tree.hpp). It determines the bits of the result:
// every leaf and every sum is rounded to this format, even if it is not sent.

#include <cstddef>
#include <cstdint>
#include <span>

namespace convoy::comm {

enum class Wire {
  kFloat32,
  kBfloat16,  ///< 8 significant bits: relative error of each node ≤ 2⁻⁸; half the bytes are sent
};

/// Rounds `values` to the format of a leaf. kBfloat16: to nearest, ties to even; NaN stays NaN.
void round_node(Wire wire, std::span<float> values);
/// left += right, rounded to the format of a node. `right` is as long as `left`.
void add_node(Wire wire, std::span<float> left, const float* right);

/// Bytes of one number in a message.
[[nodiscard]] std::int64_t wire_bytes(Wire wire);
/// Converts numbers in this format to message bytes, in place, at the front of the memory.
void pack(Wire wire, std::span<float> values);
/// The part of `values` into which to receive a message, so that unpack() can expand it.
[[nodiscard]] std::span<std::byte> packed(Wire wire, std::span<float> values);
void unpack(Wire wire, std::span<float> values);

}  // namespace convoy::comm
