// convoy import: the published files of MNIST and CIFAR-10 become a data set file.

#include <iostream>

#include "convoy/apps/command.hpp"
#include "convoy/apps/command_line.hpp"
#include "convoy/config/suggest.hpp"
#include "convoy/core/text.hpp"
#include "convoy/data/import.hpp"

namespace convoy::apps {
namespace {

struct Format {
  std::string name;
  void (*import)(const std::string& folder, const std::string& out);
};

const std::vector<Format>& formats() {
  static const std::vector<Format> table = {{"mnist", data::import_mnist}, {"cifar10", data::import_cifar10}};
  return table;
}

const Format& find_format(const std::string& name) {
  std::vector<std::string> names;
  for (const Format& format : formats()) {
    if (format.name == name) return format;
    names.push_back(format.name);
  }
  throw ConfigError("unknown format " + name + config::did_you_mean(name, names) + "; import takes " +
                    join(names, ", "));
}

}  // namespace

ExitStatus run_import(const Arguments& arguments) {
  CommandLine line(
      "import", "convoy import mnist|cifar10 DIR --out F.h5",
      "Makes a data set file from the original files in DIR, plain or .gz. mnist: the four IDX files\n"
      "(train-images-idx3-ubyte ...); cifar10: the binary version (data_batch_1.bin ...).");
  line.add_value("out", "F.h5", "file to write; one that is there is replaced when the new one is whole");
  line.expect_words(2, 2);
  if (!line.parse(arguments)) return ExitStatus::kDone;
  const Format& format = find_format(line.words()[0]);
  const std::string out = line.required_text("out");
  format.import(line.words()[1], out);
  std::cout << "Made " << out << "; 'convoy inspect " << out << "' shows what is in it.\n";
  return ExitStatus::kDone;
}

}  // namespace convoy::apps
