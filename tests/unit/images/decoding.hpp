#pragma once
// Decodes images from memory, for tests.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/images/image_file.hpp"
#include "unit/io/scratch_folder.hpp"

namespace convoy::images {

using Bytes = std::vector<std::uint8_t>;

inline Image decode(const std::string& bytes) {
  return decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, "an image");
}
/// The message of its DataError; empty: none.
inline std::string complaint(const std::string& bytes) {
  return test::message_of<DataError>([&] { decode(bytes); });
}
inline void expect_image(const std::string& bytes, const Shape& shape, const Bytes& pixels) {
  const Image image = decode(bytes);
  EXPECT_EQ(image.shape, shape);
  EXPECT_EQ(image.pixels, pixels);
}

}  // namespace convoy::images
