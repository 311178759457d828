#pragma once
// The form that nodes of the gradient's tree have (comm/tree.hpp): it decides bits, so every leaf and every
// sum takes it, whether or not it crosses a wire.

#include <cstddef>
#include <cstdint>
#include <span>

namespace convoy::comm {

enum class Wire {
  kFloat32,
  kBfloat16,  ///< 8 significant bits: every node is off by at most 2⁻⁸ of itself, half as many bytes are sent
};

/// `values` take the form of a leaf: for kBfloat16 rounded to nearest, ties to even; a NaN stays one.
void round_node(Wire wire, std::span<float> values);
/// left += right, in the form of a node. As long as `left`.
void add_node(Wire wire, std::span<float> left, const float* right);

/// Bytes of one number on its way.
[[nodiscard]] std::int64_t wire_bytes(Wire wire);
/// From numbers of that form to what is sent, at the front of the same memory.
void pack(Wire wire, std::span<float> values);
/// Where of `values` what is received goes, so that unpack() finds it.
[[nodiscard]] std::span<std::byte> packed(Wire wire, std::span<float> values);
void unpack(Wire wire, std::span<float> values);

}  // namespace convoy::comm
