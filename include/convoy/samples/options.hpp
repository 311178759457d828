#pragma once
// Section [data] of the configuration, as plain values: where samples lie, how they are read and changed.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/core/team.hpp"

namespace convoy::data {

/// Normalisation of images for the network's input.
enum class Normalize { kDataset, kNone };

/// Order of the dimensions of images in a file; NHW: one channel.
enum class Axes { kNchw, kNhwc, kNhw };
/// "NCHW", "NHWC", "NHW", in the order of the enumeration.
[[nodiscard]] const std::vector<std::string_view>& axes_names();

/// Paths of a split's data sets in third-party HDF5 files.
struct Paths {
  std::string images{};
  std::string labels{};   ///< one class per sample [N]; or
  std::string targets{};  ///< numbers per sample, [N][...]; neither: images alone, to predict
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
  std::string test_file{};  ///< pattern of the test split's files; empty: `file`
  /// Empty members: as in `train`. No test split if `test` and test_file are empty.
  Paths test{};
  Normalize normalize = Normalize::kDataset;
  bool shuffle = true;
  bool verify = false;  ///< verify the checksum also of files above 4 GiB
  Augmentation augment{};
  Cache cache = Cache::kAuto;
  Order order = Order::kFull;
  /// Bytes of images that Order::kChunks shuffles together and that streaming reads at a time.
  std::int64_t window_bytes = std::int64_t{64} << 20;
};

}  // namespace convoy::data
