// `import mnist` and `import idx`: four IDX files, plain or gzip. An input: a byte with the form of each file
// (two bits each), three lengths of 16 bits, then the four contents.

#include <array>

#include "convoy/importers/import.hpp"
#include "fuzz/harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy::fuzz;
  Taker input({data, size});
  const unsigned forms = input.byte();
  const std::array<unsigned, 3> lengths{input.word(), input.word(), input.word()};
  const std::string folder = scratch();
  unsigned number = 0;
  for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                           "t10k-labels-idx1-ubyte"}) {
    const auto form = static_cast<Form>((forms >> (2 * number) & 3) % 3);
    write_as(form, folder + '/' + name, number < 3 ? input.take(lengths.at(number)) : input.rest());
    ++number;
  }
  expect_result_or_error(folder, [&] { convoy::importers::import_mnist(folder, folder + "/out.h5"); });
  expect_result_or_error(
      folder, [&] { (void)convoy::importers::import_idx({.folder = folder, .out = folder + "/out.h5"}); });
  return 0;
}
