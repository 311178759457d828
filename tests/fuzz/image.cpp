// Image files of every format, from memory as read_image reads them, and resized. An input: its
// height and width to be, a byte each, then the file.

#include "convoy/images/image.hpp"
#include "convoy/images/image_file.hpp"
#include "fuzz/harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy::fuzz;
  namespace images = convoy::images;
  Taker input({data, size});
  const std::int64_t height = 1 + input.byte();
  const std::int64_t width = 1 + input.byte();
  const Bytes file = input.rest();
  expect_result_or_error("a.png", [&] {
    images::Image image = images::decode_image(file, "a.png");
    constexpr std::int64_t kMostToResize = 1 << 20;  // what costs time, not what could go wrong
    if (image.shape.h * image.shape.w > kMostToResize) return;
    image = images::with_channels(std::move(image), image.shape.c == 1 ? 3 : 1);
    image = images::cut_to_ratio(std::move(image), height, width);
    (void)images::resized(std::move(image), height, width);
  });
  return 0;
}
