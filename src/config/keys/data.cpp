// The keys of [data].

#include "tables.hpp"

#include "key_makers.hpp"

namespace convoy::config {
namespace {

Key shape_key() {
  return {.name = "data.shape",
          .value_name = "CxHxW",
          .allowed = "a shape such as 3x32x32, or 1x28x28 of grey images",
          .help = "shape of images that are stored flat, [N][C·H·W], in the order of data.layout",
          .read =
              [](Options& options, const std::string& value, const std::string&) {
                const auto first = value.find('x');
                if (first == std::string::npos) return false;
                const auto c = parse_integer(value.substr(0, first));
                const auto rest = parse_pair(value.substr(first + 1));
                constexpr std::int64_t kMost = std::int64_t{1} << 20;
                if (!c || !rest || *c < 1 || rest->first < 1 || rest->second < 1 || *c > kMost ||
                    rest->first > kMost || rest->second > kMost)
                  return false;
                options.data.shape = {*c, rest->first, rest->second};
                return true;
              },
          .write =
              [](const Options& options) {
                return options.data.shape.c == 0 ? std::vector<std::string>{}
                                                 : std::vector{to_string(options.data.shape)};
              }};
}

Key augment_key() {
  return {.name = "data.augment",
          .value_name = "WORDS",
          .allowed =
              "none, or some of crop=PIXELS, flip=horizontal, brightness=B, contrast=C (up to 10) and "
              "cutout=PIXELS",
          .help =
              "random changes of training images, e.g. 'crop=4 flip=horizontal brightness=0.2 contrast=0.2 "
              "cutout=8', anew each epoch",
          .read =
              [](Options& options, const std::string& value, const std::string&) {
                const auto found = data::parse_augmentation(value);
                if (found) options.data.augment = *found;
                return found.has_value();
              },
          .write = [](const Options& options) { return std::vector{data::text_of(options.data.augment)}; }};
}

}  // namespace

std::vector<Key> data_keys() {
  constexpr std::int64_t kMillion = 1'000'000;
  return {
      place(path_key(
          "data.file", [](auto& o) -> auto& { return o.data.file; }, "FILE",
          "data set, made by convoy import or convoy synth, or any HDF5 file (data.images); a pattern such "
          "as "
          "shards/*.h5 means all that match, in the order of their names' bytes")),
      optional(path_key(
          "data.images", [](auto& o) -> auto& { return o.data.train.images; }, "/PATH",
          "where in an HDF5 file of your own the images lie: integers, bool, float16, float32 or float64; "
          "with a pattern in data.file also one image per file")),
      optional(path_key(
          "data.labels", [](auto& o) -> auto& { return o.data.train.labels; }, "/PATH",
          "with data.images: where their classes lie, as numbers, one-hot rows or strings; /TABLE[3:8] are "
          "columns, /TABLE.FIELD a field")),
      place(optional(path_key(
          "data.labels-file", [](auto& o) -> auto& { return o.data.train.labels_file; }, "FILE",
          "file or pattern that holds the labels; default data.file"))),
      optional(path_key(
          "data.targets", [](auto& o) -> auto& { return o.data.train.targets; }, "/PATH",
          "with data.images, instead of labels: the numbers that the network's outputs should be, [N][...]; "
          "for the losses quadratic, absolute and huber")),
      place(optional(path_key(
          "data.targets-file", [](auto& o) -> auto& { return o.data.train.targets_file; }, "FILE",
          "file or pattern that holds the targets; default data.file"))),
      choice_key(
          "data.layout", [](auto& o) -> auto& { return o.data.axes; }, data::axes_names(),
          "with data.images: the order of their extents", data::kOtherAxes),
      shape_key(),
      choice_key(
          "data.label-values", [](auto& o) -> auto& { return o.data.label_values; }, {"as-is", "sorted"},
          "sorted: the values that occur, in order, become classes 0, 1, …"),
      integer_key(
          "data.classes", [](auto& o) -> auto& { return o.data.classes; }, {0, kMillion},
          "number of classes, where the data lack some; 0: as many as there are names, or labels"),
      optional(path_key(
          "data.class-names", [](auto& o) -> auto& { return o.data.class_names; }, "NAMES",
          "names of the classes: a list 'ant, bee', or /PATH of names in the first file")),
      place(optional(path_key(
          "data.test-file", [](auto& o) -> auto& { return o.data.test_file; }, "FILE",
          "with data.images: file or pattern of the test split; default data.file, where test-images is "
          "given"))),
      optional(path_key(
          "data.test-images", [](auto& o) -> auto& { return o.data.test.images; }, "/PATH",
          "images of the test split; default data.images, where test-file is given")),
      optional(path_key(
          "data.test-labels", [](auto& o) -> auto& { return o.data.test.labels; }, "/PATH",
          "their classes; default data.labels")),
      optional(path_key(
          "data.test-targets", [](auto& o) -> auto& { return o.data.test.targets; }, "/PATH",
          "their targets; default data.targets")),
      place(optional(path_key(
          "data.test-labels-file", [](auto& o) -> auto& { return o.data.test.labels_file; }, "FILE",
          "file or pattern that holds the test split's labels"))),
      place(optional(path_key(
          "data.test-targets-file", [](auto& o) -> auto& { return o.data.test.targets_file; }, "FILE",
          "file or pattern that holds the test split's targets"))),
      number_key(
          "data.validation-part", [](auto& o) -> auto& { return o.data.held_out.validation_part; },
          [](double x) { return x >= 0 && x < 1; }, "a number from 0 to below 1",
          "part of each class of the training split that is held out for validation"),
      integer_key(
          "data.validation-seed", [](auto& o) -> auto& { return o.data.held_out.validation_seed; }, {},
          "which samples those are"),
      optional(path_key(
          "data.split", [](auto& o) -> auto& { return o.data.held_out.split; }, "/PATH",
          "a column that says of each sample of data.images in which split it is: 0, 1, 2 or train, "
          "validation, test")),
      optional(path_key(
          "data.train-index", [](auto& o) -> auto& { return o.data.held_out.train_index; }, "/PATH",
          "numbers of the samples to train (or a bool for each); default those of no other index")),
      optional(path_key(
          "data.validation-index", [](auto& o) -> auto& { return o.data.held_out.validation_index; }, "/PATH",
          "numbers of the samples held out for validation")),
      optional(path_key(
          "data.test-index", [](auto& o) -> auto& { return o.data.held_out.test_index; }, "/PATH",
          "numbers of the samples held out for the test")),
      choice_key(
          "data.transform", [](auto& o) -> auto& { return o.data.function; }, {"none", "log1p"},
          "log1p: log(1 + x) of each number as stored, before it is normalised"),
      choice_key(
          "data.normalize", [](auto& o) -> auto& { return o.data.normalize; }, {"dataset", "none"},
          "dataset: by the mean and standard deviation stored in the file"),
      yes_no_key(
          "data.shuffle", [](auto& o) -> auto& { return o.data.shuffle; }, "no: file order, every epoch"),
      speed(yes_no_key(
          "data.verify", [](auto& o) -> auto& { return o.data.verify; },
          "yes: verify the checksum of a data set above 4 GiB too; smaller ones always are")),
      augment_key(),
      speed(choice_key(
          "data.cache", [](auto& o) -> auto& { return o.data.cache; }, {"auto", "memory", "none"},
          "memory: images are held once per node; none: read while they are trained; auto: memory where "
          "they take less than half of what is free. No bit depends on it")),
      choice_key(
          "data.order", [](auto& o) -> auto& { return o.data.order; }, {"full", "chunks"},
          "full: an epoch's samples in any order; chunks: stretches of the file (chunks, about 1 MiB "
          "together) in any order, then samples within windows: each is read once"),
      mebibytes_key(
          "data.window", [](auto& o) -> auto& { return o.data.window_bytes; },
          "MiB of images that order = chunks shuffles together; images that are not in memory are read "
          "so "
          "much at a time, into two buffers a node"),
  };
}

}  // namespace convoy::config
