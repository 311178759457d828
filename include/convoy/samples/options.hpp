#pragma once
// Section [data] of the configuration, as plain values: where samples lie, how they are read and changed.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/core/shape.hpp"
#include "convoy/core/team.hpp"

namespace convoy::data {

/// Normalisation of images for the network's input.
enum class Normalize { kDataset, kNone };

/// Order of the dimensions of images in a file; NHW: one channel.
enum class Axes { kNchw, kNhwc, kNhw };
/// "NCHW", "NHWC", "NHW", in the order of the enumeration.
[[nodiscard]] const std::vector<std::string_view>& axes_names();
/// Completes a message about another order.
inline constexpr const char* kOtherAxes =
    "; an array of another order can be transposed first: with h5py, f['new'] = f['x'][()].transpose(3, 2, "
    "0, 1) "
    "makes NCHW of HWCN";

/// Where a split's content lies in third-party HDF5 files. Labels and targets may be parts of a data set
/// (io::Part): "/table[53:58]", "/table.label".
struct Paths {
  std::string images{};
  std::string labels{};        ///< the class of each sample (src/CONTRACT.md, "Labels"); or
  std::string targets{};       ///< numbers per sample, [N][...]; neither: images alone, to predict
  std::string labels_file{};   ///< file or pattern that holds the labels; empty: the files of the images
  std::string targets_file{};  ///< likewise
};

/// How messages spell what they advise.
enum class Advice {
  kKeys,     ///< data.labels-file
  kOptions,  ///< --labels-file, as eval and predict call a few of the keys
};

/// How labels become classes.
enum class LabelValues {
  kAsIs,    ///< the label is the class
  kSorted,  ///< the values that occur, in ascending order, are classes 0, 1, …
};

/// Samples of the training split that form other splits. At most one way, beside a validation_part.
struct HeldOut {
  double validation_part = 0;         ///< share of each class
  std::uint64_t validation_seed = 1;  ///< that chooses its samples, by their numbers alone
  std::string split{};                ///< a column: 0, 1, 2 or train, validation, test, one per sample
  std::string train_index{};          ///< numbers of samples; empty: those that no other list has
  std::string validation_index{};
  std::string test_index{};
};

/// Function of each pixel before normalisation.
enum class PixelFunction {
  kNone,
  kLog1p,  ///< log(1 + x)
};

/// Location of images during training. Does not change any bit of the results.
enum class Cache {
  kAuto,    ///< kMemory if the images take less than half of the available memory, else kNone
  kMemory,  ///< in memory, once per node
  kNone,    ///< in their files, read when needed
};

/// Order of the samples of an epoch (order.hpp).
enum class Order {
  kFull,    ///< shuffle all samples
  kChunks,  ///< shuffle ranges of the file, then the samples within windows
};

/// data.augment. The members are applied in this order; normalisation is between contrast and cutout.
struct Augmentation {
  /// Random crop: a window of the image's size, shifted by up to `crop` pixels in each direction. Pixels
  /// outside the image are zero (black, before normalisation).
  std::int64_t crop = 0;
  /// Horizontal flip with probability 1/2.
  bool flips = false;
  /// Multiplies pixels by a random factor in [max(0, 1 − b), 1 + b].
  double brightness = 0;
  /// Multiplies the difference between pixels and the image's mean grey by a random factor in [max(0, 1 − c),
  /// 1 + c]. Grey is 0.299 R + 0.587 G + 0.114 B for three channels, else the mean of the channels.
  double contrast = 0;
  /// Sets a square of `cutout` pixels per side to zero after normalisation. Its centre is a random pixel; the
  /// square is clipped at the image's border (DeVries & Taylor 2017).
  std::int64_t cutout = 0;

  [[nodiscard]] bool is_none() const {
    return crop == 0 && !flips && brightness == 0 && contrast == 0 && cutout == 0;
  }
  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

/// Section [data] of the configuration.
struct Options {
  /// A path, or a pattern with * ? [ ]. The matching files, sorted by the bytes of their names, form one data
  /// set.
  std::string file{};
  Paths train{};  ///< no images: `file` is in Convoy's format (src/CONTRACT.md)
  /// Of images alone in one file: the samples to read, instead of all.
  std::optional<Range> rows{};
  Axes axes = Axes::kNchw;  ///< of the images at `train` and `test`
  /// Of images stored flat, [N][C·H·W], in the order of `axes`; c = 0: they are not flat.
  Shape shape{};
  LabelValues label_values = LabelValues::kAsIs;
  std::int64_t classes = 0;   ///< 0: as many as names, or else as labels say
  std::string class_names{};  ///< a list "a, b", or the path of names in the first file
  /// The classes of a trained network, which labels of another data set are to have: names of labels that are
  /// text, or values of sorted ones.
  std::vector<std::string> known_names{};
  std::vector<std::int64_t> known_values{};
  std::int64_t known_classes = 0;  ///< as many as it has, if nothing else tells how many there are
  /// The images of a trained network: arrays that hold such images are read so, if `shape` is not given: flat
  /// ones, those of one image, and those that have this shape in known_axes instead of `axes`. c = 0: none.
  Shape known_shape{};
  std::optional<Axes> known_axes{};
  Advice advice = Advice::kKeys;
  std::string advice_on_paths{};  ///< if images, labels or targets are not where they should be; may be empty
  HeldOut held_out{};
  std::string test_file{};  ///< pattern of the test split's files; empty: `file`
  /// Empty members: as in `train`. No test split if `test` and test_file are empty.
  Paths test{};
  PixelFunction function = PixelFunction::kNone;
  Normalize normalize = Normalize::kDataset;
  bool shuffle = true;
  bool verify = false;  ///< verify the checksum also of files above 4 GiB
  Augmentation augment{};
  Cache cache = Cache::kAuto;
  Order order = Order::kFull;
  /// Bytes of images that Order::kChunks shuffles together and that streaming reads at a time.
  std::int64_t window_bytes = std::int64_t{64} << 20;

  /// "data.labels" or "--labels" of "labels".
  [[nodiscard]] std::string spelled(std::string_view key) const {
    return (advice == Advice::kKeys ? "data." : "--") + std::string(key);
  }
};

}  // namespace convoy::data
