// `import npz`: an archive of arrays, or two files of arrays. An input: a byte (bits: files, their labels in
// Fortran order or not, a layout, how labels become classes), a length of 16 bits, then the contents.

#include <array>

#include "convoy/importers/import.hpp"
#include "fuzz/harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy::fuzz;
  namespace importers = convoy::importers;
  Taker input({data, size});
  const unsigned how = input.byte();
  const unsigned length = input.word();
  const std::string folder = scratch();
  importers::NpzOptions options{.file = {}, .out = folder + "/out.h5"};
  constexpr std::array<const char*, 4> kLayouts{"", "NCHW", "HWN", "CHWN"};
  options.layout = kLayouts.at(how >> 1 & 3);
  options.labels.values = static_cast<importers::LabelRules::Values>((how >> 3 & 3) % 3);
  if ((how & 1) != 0) {
    options.train = {folder + "/x.npy", folder + "/y.npy"};
    write_file(options.train.images, input.take(length));
    write_file(options.train.labels, input.rest());
  } else {
    options.file = folder + "/a.npz";
    write_file(options.file, input.rest());
  }
  // Errors name an array, a file or the option.
  expect_result_or_error("", [&] { (void)importers::import_npz(options); });
  return 0;
}
