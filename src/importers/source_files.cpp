#include "source_files.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <vector>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "convoy/io/file_system.hpp"

namespace convoy::importers {

std::string what_lies_in(const std::string& folder) {
  constexpr std::size_t kMostNames = 8;
  std::vector<std::string> names = io::list_folder(folder);
  std::erase_if(names, [](const std::string& each) { return each.starts_with('.'); });
  if (names.empty()) return {};
  const std::size_t others = names.size() - std::min(names.size(), kMostNames);
  names.resize(names.size() - others);
  return "; there is " + join(names, ", ") + (others == 0 ? "" : fmt::format(" and {} more", others));
}

namespace {

/// Which importer reads what lies in `folder`, if not the one that looks for `missing`; empty if that cannot
/// be told.
std::string other_reader(const std::string& folder, const std::string& missing) {
  struct Reader {
    const char* file;
    const char* words;
  };
  const bool is_of_cifar10 = missing.find("_batch") != std::string::npos;
  const bool is_of_cifar100 = missing == "train.bin" || missing == "test.bin";
  const bool is_of_stl10 = !is_of_cifar10 && !is_of_cifar100 && missing.ends_with(".bin");
  const std::array readers{Reader{is_of_stl10 ? "" : "train_X.bin",
                                  "'convoy import stl10' reads STL-10 (train_X.bin, train_y.bin)"},
                           Reader{is_of_cifar100 ? "" : "train.bin",
                                  "'convoy import cifar100' reads CIFAR-100 (train.bin, test.bin)"},
                           Reader{is_of_cifar10 ? "" : "data_batch_1.bin",
                                  "'convoy import cifar10' reads CIFAR-10 (data_batch_1.bin, …)"},
                           Reader{is_of_cifar10 ? "data_batch_1" : "",
                                  "this is the Python version; 'convoy import' reads the binary one"}};
  for (const Reader& reader : readers)
    for (const char* ending : {"", ".gz"})
      if (*reader.file != '\0' && io::exists(folder + '/' + reader.file + ending)) return reader.words;
  return {};
}

}  // namespace

ByteStream open_either(const std::string& folder, const std::string& name, const std::string& hint) {
  if (!io::is_folder(folder))
    throw ConfigError(fmt::format("no folder {}; it should be the one that holds {}", folder, name));
  const std::string plain = folder + '/' + name;
  for (const std::string& path : {plain, plain + ".gz"}) {
    if (io::exists(path)) return ByteStream(path);
  }
  const std::string others = what_lies_in(folder);
  const std::string reader = other_reader(folder, name);
  const std::string& better = reader.empty() ? hint : reader;
  throw ConfigError(fmt::format("missing file {} (nor is it there as .gz{}); download it into {}{}", plain,
                                others, folder, others.empty() || better.empty() ? "" : ", or: " + better));
}

}  // namespace convoy::importers
