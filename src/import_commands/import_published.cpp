// convoy import mnist, cifar10, cifar100, stl10, idx: published data sets as their files are.

#include <array>

#include "import_formats.hpp"

#include "dataset_command.hpp"

#include <fmt/core.h>

namespace convoy::apps {
namespace {

ExitStatus import_plain(const CommandLine& line,
                        void (*import)(const std::string&, const std::string&, importers::Observer*)) {
  const std::string out = line.required_text("out");
  return make_dataset_alone("import", [&](importers::Observer& observer, const Say& say) {
    import(line.words()[1], out, &observer);
    say(fmt::format("Made {}; 'convoy inspect {}' shows what is in it.", out, out));
  });
}

ExitStatus import_mnist(const CommandLine& line) {
  return import_plain(line, importers::import_mnist);
}
ExitStatus import_cifar10(const CommandLine& line) {
  return import_plain(line, importers::import_cifar10);
}

ExitStatus import_cifar100(const CommandLine& line) {
  const std::string out = line.required_text("out");
  const auto labels = line.choice("labels", {"fine", "coarse"}) == 0 ? importers::Cifar100Labels::kFine
                                                                     : importers::Cifar100Labels::kCoarse;
  return import_alone(out, [&](importers::Observer& observer) {
    return importers::import_cifar100(line.words()[1], out, labels, &observer);
  });
}

ExitStatus import_stl10(const CommandLine& line) {
  const std::string out = line.required_text("out");
  return import_alone(out, [&](importers::Observer& observer) {
    return importers::import_stl10(line.words()[1], out, &observer);
  });
}

ExitStatus import_idx(const CommandLine& line) {
  using Transpose = importers::IdxOptions::Transpose;
  constexpr std::array kTranspose{Transpose::kAuto, Transpose::kNo, Transpose::kYes};
  importers::IdxOptions options{.folder = line.words().size() > 1 ? line.words()[1] : "",
                                .out = line.required_text("out"),
                                .set = line.text("set").value_or(""),
                                .train = pair_of(line, "train-"),
                                .test = pair_of(line, "test-"),
                                .validation = pair_of(line, "validation-"),
                                .transpose = kTranspose.at(line.choice("transpose", {"auto", "no", "yes"})),
                                .labels = label_rules(line)};
  const bool is_by_hand = !(options.train.images + options.train.labels + options.test.images +
                            options.test.labels + options.validation.images + options.validation.labels)
                               .empty();
  if (is_by_hand == !options.folder.empty() || (is_by_hand && !options.set.empty()))
    throw ConfigError(
        "import idx takes a folder (--set chooses one of several sets in it), or files by --train-images F "
        "and "
        "--train-labels F (and --test-..., --validation-...); give one of both");
  return import_alone(
      options.out, [&](importers::Observer& observer) { return importers::import_idx(options, &observer); });
}

}  // namespace

ImportFormat mnist_format() {
  return {
      .name = "mnist",
      .usage = "DIR",
      .about =
          "the four IDX files of MNIST or Fashion-MNIST in DIR (train-images-idx3-ubyte ...), plain or .gz",
      .options = {},
      .least_words = 1,
      .most_words = 1,
      .run = import_mnist};
}

ImportFormat cifar10_format() {
  return {.name = "cifar10",
          .usage = "DIR",
          .about = "the binary version (data_batch_1.bin ...), plain or .gz",
          .options = {},
          .least_words = 1,
          .most_words = 1,
          .run = import_cifar10};
}

ImportFormat cifar100_format() {
  return {.name = "cifar100",
          .usage = "DIR",
          .about = "the binary version (train.bin, test.bin), plain or .gz",
          .options = {{"labels", "fine|coarse", "the 100 classes (default) or the 20 they belong to"}},
          .least_words = 1,
          .most_words = 1,
          .run = import_cifar100};
}

ImportFormat stl10_format() {
  return {.name = "stl10",
          .usage = "DIR",
          .about = "the binary version (train_X.bin ...), plain or .gz; images without labels are left aside",
          .options = {},
          .least_words = 1,
          .most_words = 1,
          .run = import_stl10};
}

ImportFormat idx_format() {
  ImportFormat format{
      .name = "idx",
      .usage = "DIR, or --train-images F --train-labels F",
      .about =
          "files of MNIST's format with other names and classes (EMNIST, QMNIST, KMNIST, Kaggle's names), "
          "plain or "
          ".gz; EMNIST's images, stored by columns, are transposed",
      .options =
          {{"set", "NAME", "which of several sets in DIR: what the names of its files begin with"},
           {"transpose", "auto|no|yes",
            "exchange rows and columns of every image; auto (default): if the names begin with emnist"}},
      .least_words = 0,
      .most_words = 1,
      .run = import_idx};
  for (const char* split : {"train", "test", "validation"})
    for (const char* what : {"images", "labels"})
      format.options.push_back({fmt::format("{}-{}", split, what), "F",
                                fmt::format("file of the {} of the {} split, instead of DIR", what, split)});
  for (ImportOption& option : label_options()) format.options.push_back(std::move(option));
  return format;
}

}  // namespace convoy::apps
