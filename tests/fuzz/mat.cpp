// `import mat`: a MATLAB 7.3 file behind its first 512 bytes. A child process reads it first.

#include "convoy/importers/import.hpp"
#include "fuzz/harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy::fuzz;
  namespace importers = convoy::importers;
  Taker input({data, size});
  const unsigned how = input.byte();
  const std::string path = scratch() + "/a.mat";
  std::vector<std::uint8_t> bytes(512);
  constexpr std::string_view kBegin = "MATLAB 7.3 MAT-file";
  std::copy(kBegin.begin(), kBegin.end(), bytes.begin());
  const Bytes content = input.rest();
  bytes.insert(bytes.end(), content.begin(), content.end());
  write_file(path, bytes);
  importers::MatOptions options{.train = path, .test = {}, .out = scratch() + "/out.h5"};
  options.labels.values = static_cast<importers::LabelRules::Values>(how % 3);
  expect_result_or_error("", [&] { (void)importers::import_mat(options); });
  return 0;
}
