#pragma once
// Data sets as training sees them: samples by number, normalised into lane blocks.
//
// A split's images are held once per node, in memory the node's ranks share, as they are in the file (uint8
// or float32); each rank reads a part of the file by hyperslab. Or they stay in the file and are streamed
// (stream.hpp). Labels and targets are in memory either way, once per node.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/data/augment.hpp"

namespace convoy::data {

class Stream;

/// How images are brought to the network's input.
enum class Normalize { kDataset, kNone };

/// Order of the extents of images in a file; NHW: one channel.
enum class Axes { kNchw, kNhwc, kNhw };
/// "NCHW", "NHWC", "NHW", in the order of the enumeration.
[[nodiscard]] const std::vector<std::string_view>& axes_names();

/// Where a split lies in HDF5 files that Convoy did not make: paths of data sets in them.
struct Paths {
  std::string images{};
  std::string labels{};   ///< a class a sample, or
  std::string targets{};  ///< numbers a sample, [N][...]
};

/// Where images are while training goes on. Never decides a bit.
enum class Cache {
  kAuto,    ///< in memory where they take less than half of what is available there, else as kNone
  kMemory,  ///< in memory, once per node
  kNone,    ///< in their files, read when they are needed
};

/// In which order an epoch's samples come (order.hpp).
enum class Order {
  kFull,    ///< any sample anywhere
  kChunks,  ///< stretches of the file shuffled, then the samples within windows
};

/// Section [data] of the configuration.
struct Options {
  /// A path, or a pattern with * ? [ ]: the files that match, in the order of their names' bytes, are one
  /// data set.
  std::string file{};
  Paths train{};            ///< no images: files are data set files (src/CONTRACT.md)
  Axes axes = Axes::kNchw;  ///< of images at `train` and `test`
  std::string test_file{};  ///< pattern of the test split's files; empty: `file`
  Paths test{};  ///< empty ones: as of `train`; no test split unless this or test_file says something
  Normalize normalize = Normalize::kDataset;
  bool shuffle = true;
  bool verify = false;  ///< verify the checksum of files above 4 GiB too
  Augmentation augment{};
  Cache cache = Cache::kAuto;
  Order order = Order::kFull;
  /// Images that Order::kChunks shuffles together, and what streaming reads at a time.
  std::int64_t window_bytes = std::int64_t{64} << 20;
};

/// What is done to a stored pixel x: (x·scale − mean[c]) / std[c], computed in double, rounded once to float.
struct InputTransform {
  Shape shape;               ///< of one image
  double scale = 1;          ///< 1/255 for uint8
  std::vector<double> mean;  ///< [C]; 0 for Normalize::kNone
  std::vector<double> std;   ///< [C]; 1 for Normalize::kNone
};

/// How load() brings images into the network's input.
struct Loading {
  const Augmentation* augmentation = nullptr;  ///< null: as they are
  std::uint64_t seed = 0;                      ///< of augmentation
  std::int64_t epoch = 0;                      ///< likewise
  const Stream* stream = nullptr;              ///< of a streamed split: holds its images
};

/// One split (train, test or validation) of a data set.
class Split {
 public:
  struct Impl;
  explicit Split(std::unique_ptr<Impl> impl);
  ~Split();
  Split(Split&&) noexcept;
  Split& operator=(Split&&) noexcept;

  [[nodiscard]] std::int64_t samples() const;
  /// Class of each sample, [samples]; empty where there are targets instead.
  [[nodiscard]] std::span<const std::int64_t> labels() const;
  /// What the network's outputs should be, [samples][target_size()]; empty where there are labels instead.
  [[nodiscard]] std::span<const float> targets() const;
  /// Numbers a sample; 0 where there are labels.
  [[nodiscard]] std::int64_t target_size() const;

  /// True where images are not in memory: a Stream reads them ahead.
  [[nodiscard]] bool is_streamed() const;
  /// As they are kept.
  [[nodiscard]] std::int64_t image_bytes() const;
  /// Where stretches of the file end that are best read as a whole: chunks, about a mebibyte of them. The
  /// last is samples().
  [[nodiscard]] const std::vector<std::int64_t>& unit_ends() const;

  /// Writes the images of `samples` (numbers in this split, any order, repeats allowed), transformed, into
  /// lane blocks: dst is [⌈n/16⌉][C][H][W][16]. Idle lanes copy their block's first sample. Thread-safe; one
  /// thread. Precondition: of a streamed split, `loading.stream` holds the samples.
  void load(std::span<const std::int64_t> samples, const InputTransform& transform, float* dst,
            const Loading& loading = {}) const;
  /// Likewise for a few samples, as they are: those of a streamed split are read by HDF5, one by one, on the
  /// calling thread. Throws IoError, DataError.
  void read(std::span<const std::int64_t> samples, const InputTransform& transform, float* dst) const;

 private:
  friend class Stream;
  std::unique_ptr<Impl> impl_;
};

/// When the checksum of a data set file is checked (src/CONTRACT.md, "Checksums").
enum class ChecksumPolicy {
  kUpTo4GiB,  ///< always where the file is small enough for it to be cheap
  kAlways,    ///< whatever its size: `inspect`, data.verify
};

/// Data set files, or others that hold images.
class Dataset {
 public:
  /// Collective over `world`. Opens `file`, checks its checksum (where it carries one and `policy` asks for
  /// it), its format and that images and labels fit each other, and reads the named splits. Throws
  /// ConfigError (no such file), IoError (cannot be opened or read), DataError (not a data set, damaged,
  /// inconsistent) naming file and cause; the same on every rank.
  Dataset(const Options& options, const comm::Communicator& world, const std::vector<std::string>& splits);
  /// Of data set files.
  Dataset(const std::string& file, const comm::Communicator& world, const std::vector<std::string>& splits,
          ChecksumPolicy policy = ChecksumPolicy::kUpTo4GiB);
  ~Dataset();
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;

  /// Image shape, the same in every split.
  [[nodiscard]] const Shape& shape() const;
  /// Number of classes: of class_names where there are any, else 1 + the largest label of all splits. With
  /// targets, how many numbers a sample has of them: outputs of the network either way.
  [[nodiscard]] std::int64_t classes() const;
  /// True where samples have targets instead of labels.
  [[nodiscard]] bool has_targets() const;
  /// What is in it and how it is stored, for a start block: files, types, layout.
  [[nodiscard]] const std::string& storage() const;
  /// Of storage that reads badly; for people.
  [[nodiscard]] const std::vector<std::string>& warnings() const;
  /// Empty where the file names none.
  [[nodiscard]] const std::vector<std::string>& class_names() const;
  /// XXH3-128 of the file from its byte 512 on where it carries a checksum, else of the whole file (of one
  /// above 4 GiB: its size and 4,096 pieces of it); of several files: of their digests. 32 hex digits.
  [[nodiscard]] const std::string& digest() const;
  /// A split read at construction; null where the file has none of that name.
  [[nodiscard]] const Split* split(const std::string& name) const;
  /// The transform `normalize` asks for: from the file's mean and std, or computed once where it has none. A
  /// channel that never varies (std 0) is divided by 1.
  [[nodiscard]] InputTransform transform(Normalize normalize) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::data
