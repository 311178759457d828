// Files of records without headers: `import cifar10`, `cifar100` and `stl10`, plain or gzip. An input: a byte
// (two bits of form, a bit for whether there are names, two bits of importer), the length of the names,
// names, records.

#include <vector>

#include "convoy/importers/import.hpp"
#include "fuzz/harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy::fuzz;
  namespace importers = convoy::importers;
  static const std::string folder = [] {
    const std::vector<std::uint8_t> record(3073, 3);
    for (const char* batch : {"1", "2", "4", "5"})
      write_file(scratch() + "/data_batch_" + batch + ".bin", record);
    write_file(scratch() + "/test_batch.bin", record);
    write_file(scratch() + "/test.bin", std::vector<std::uint8_t>(3074, 3));
    write_file(scratch() + "/test_X.bin", std::vector<std::uint8_t>(27648, 3));
    write_file(scratch() + "/test_y.bin", std::vector<std::uint8_t>(1, 3));
    return scratch();
  }();
  Taker input({data, size});
  const unsigned forms = input.byte();
  const auto form = static_cast<Form>((forms & 3) % 3);
  const Bytes names = input.take(input.word());
  for (const char* file :
       {"batches.meta.txt", "fine_label_names.txt", "coarse_label_names.txt", "class_names.txt"}) {
    std::filesystem::remove(folder + '/' + file);
    if ((forms & 4) != 0) write_file(folder + '/' + file, names);
  }
  const std::string out = folder + "/out.h5";
  switch (forms >> 3 & 3) {
    case 0:
      write_as(form, folder + "/data_batch_3.bin", input.rest());
      expect_result_or_error(folder, [&] { importers::import_cifar10(folder, out); });
      break;
    case 1:
    case 2: {
      write_as(form, folder + "/train.bin", input.rest());
      const bool is_fine = (forms >> 3 & 3) == 1;
      expect_result_or_error(folder, [&] {
        (void)importers::import_cifar100(
            folder, out, is_fine ? importers::Cifar100Labels::kFine : importers::Cifar100Labels::kCoarse);
      });
      break;
    }
    default: {
      // A byte of labels, then images as the rest.
      const Bytes labels = input.take(1);
      write_as(form, folder + "/train_y.bin", labels);
      write_as(form, folder + "/train_X.bin", input.rest());
      expect_result_or_error(folder, [&] { (void)importers::import_stl10(folder, out); });
    }
  }
  return 0;
}
