// `import cifar10`: one of its files of records, plain or gzip, and the file of class names. An input: a byte
// (two bits of form, a bit for whether there are names), the length of the names, names, records.

#include <vector>

#include "convoy/importers/import.hpp"
#include "fuzz/harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy::fuzz;
  static const std::string folder = [] {
    const std::vector<std::uint8_t> record(3073, 3);
    for (const char* batch : {"1", "2", "4", "5"})
      write_file(scratch() + "/data_batch_" + batch + ".bin", record);
    write_file(scratch() + "/test_batch.bin", record);
    return scratch();
  }();
  Taker input({data, size});
  const unsigned forms = input.byte();
  const Bytes names = input.take(input.word());
  const std::string names_file = folder + "/batches.meta.txt";
  std::filesystem::remove(names_file);
  if ((forms & 4) != 0) write_file(names_file, names);
  write_as(static_cast<Form>((forms & 3) % 3), folder + "/data_batch_3.bin", input.rest());
  expect_result_or_error(folder, [&] { convoy::importers::import_cifar10(folder, folder + "/out.h5"); });
  return 0;
}
