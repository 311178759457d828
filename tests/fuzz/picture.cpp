// Picture files (PNG, JPEG, PGM, PPM), from memory as read_picture reads them, and resized. An input: its
// height and width to be, a byte each, then the file.

#include <utility>

#include "convoy/data/picture.hpp"
#include "convoy/data/picture_file.hpp"
#include "fuzz/harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy::fuzz;
  namespace data_room = convoy::data;
  Taker input({data, size});
  const std::int64_t height = 1 + input.byte();
  const std::int64_t width = 1 + input.byte();
  const Bytes file = input.rest();
  expect_result_or_error("a.png", [&] {
    data_room::Picture picture = data_room::decode_picture(file, "a.png");
    constexpr std::int64_t kMostToResize = 1 << 20;  // what costs time, not what could go wrong
    if (picture.shape.h * picture.shape.w > kMostToResize) return;
    picture = data_room::with_channels(std::move(picture), picture.shape.c == 1 ? 3 : 1);
    picture = data_room::cut_to_ratio(std::move(picture), height, width);
    (void)data_room::resized(std::move(picture), height, width);
  });
  return 0;
}
