// `import folder --labels`: a table of images and labels. An input: a byte that chooses among options, then
// the table. The images, which no table opens, are a.png to d.png.

#include <array>

#include "convoy/folders/folder_files.hpp"
#include "fuzz/harness.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy::fuzz;
  constexpr std::array kColumns{"", "label", "1", "3"};
  Taker input({data, size});
  const unsigned choice = input.byte();
  const std::string folder = scratch() + "/images";
  if (!std::filesystem::exists(folder)) {
    std::filesystem::create_directory(folder);
    for (const char* name : {"a.png", "b.png", "c.png", "d.png"}) write_file(folder + '/' + name, {});
  }
  const std::string table = scratch() + "/labels.csv";
  write_file(table, input.rest());
  convoy::importers::FolderOptions options;
  options.folder = folder;
  options.labels = table;
  options.label_column = kColumns.at(choice % 4);
  options.file_column = kColumns.at(choice / 4 % 4);
  expect_result_or_error(table, [&] { (void)convoy::importers::list_images(options); });
  return 0;
}
