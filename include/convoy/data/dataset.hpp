#pragma once
// Data sets for training: samples by index, normalised, in lane blocks.
//
// A split's images are held once per node, in memory shared by the node's ranks, in the file's element type
// (uint8 or float32); each rank reads a part of the file by hyperslab. Or they stay in the file and are
// streamed (stream.hpp). Labels and targets are always in memory, once per node.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/core/team.hpp"
#include "convoy/data/load_observer.hpp"
#include "convoy/samples/options.hpp"

namespace convoy::data {

class Stream;
struct MemorySplit;

/// Transform of a stored pixel x: (f(x)·scale − mean[c]) / std[c], computed in double, rounded once to float.
struct InputTransform {
  Shape shape;       ///< shape of one image
  double scale = 1;  ///< 1/255 for uint8 without a function
  PixelFunction function = PixelFunction::kNone;
  std::vector<double> mean;  ///< [C]; 0 for Normalize::kNone
  std::vector<double> std;   ///< [C]; 1 for Normalize::kNone
};

/// Parameters of load().
struct Loading {
  const Augmentation* augmentation = nullptr;  ///< null: no augmentation
  std::uint64_t seed = 0;                      ///< of the augmentation
  std::int64_t epoch = 0;                      ///< of the augmentation
  const Stream* stream = nullptr;              ///< the images, if the split is streamed
};

/// One split (train, test or validation) of a data set.
class Split {
 public:
  struct Impl;
  explicit Split(std::unique_ptr<Impl> impl);
  ~Split();
  Split(Split&&) noexcept;
  Split& operator=(Split&&) noexcept;

  /// "train", "test" or "validation".
  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] std::int64_t samples() const;
  /// False: images alone, without labels and targets.
  [[nodiscard]] bool has_answers() const;
  /// Class of each sample, [samples]; empty if the split has targets, or neither.
  [[nodiscard]] std::span<const std::int64_t> labels() const;
  /// Desired outputs of the network, [samples][target_size()]; empty if the split has labels, or neither.
  [[nodiscard]] std::span<const float> targets() const;
  /// Numbers per sample; 0 without targets.
  [[nodiscard]] std::int64_t target_size() const;

  /// True if the images are not in memory: a Stream reads them ahead.
  [[nodiscard]] bool is_streamed() const;
  /// Bytes of one stored image.
  [[nodiscard]] std::int64_t image_bytes() const;
  /// Ends of the ranges of samples that should be read as a whole: whole chunks, about 1 MiB per range. The
  /// last end is samples().
  [[nodiscard]] const std::vector<std::int64_t>& unit_ends() const;

  /// Writes the images of `samples` (indices in this split, any order, repeats allowed), transformed, into
  /// lane blocks: dst is [⌈n/16⌉][C][H][W][16]. Idle lanes repeat the first sample of their block.
  /// Thread-safe; uses one thread. Called in parallel regions, so it does not throw for an image that has
  /// changed in memory but records it, for require_intact(). Precondition if streamed: `loading.stream` holds
  /// the samples.
  void load(std::span<const std::int64_t> samples, const InputTransform& transform, float* dst,
            const Loading& loading = {}) const;
  /// The labels of `samples`, likewise; 0 instead of one that has changed in memory. Precondition: labels.
  void copy_labels(std::span<const std::int64_t> samples, std::span<std::int64_t> dst) const;
  /// Their targets, [samples][target_size()], likewise. Precondition: targets.
  void copy_targets(std::span<const std::int64_t> samples, std::span<float> dst) const;
  /// Throws MemoryFaultError, with the sample and this host, if one of these functions met a sample in memory
  /// that is not what was read from the file (its checksum differs).
  void require_intact() const;
  /// As load(), for a few samples, without augmentation. If the split is streamed, HDF5 reads the samples one
  /// by one on the calling thread. Throws IoError, DataError.
  void read(std::span<const std::int64_t> samples, const InputTransform& transform, float* dst) const;
  /// Reads the images of `samples` as [n][C][H][W] of uint8 or float32, not transformed, on `threads`
  /// threads. HDF5 is called on the calling one. Precondition: is_streamed(). Throws IoError, DataError.
  void read_plain(const Range& samples, std::span<std::byte> images, int threads) const;
  /// True if images are uint8, else float32.
  [[nodiscard]] bool is_bytes() const;

 private:
  friend class Dataset;
  friend class Stream;
  std::unique_ptr<Impl> impl_;
};

/// When to verify the checksum of a data set file (src/CONTRACT.md, "Checksums").
enum class ChecksumPolicy {
  kUpTo4GiB,  ///< if the file has at most 4 GiB, so that it is cheap
  kAlways,    ///< for any size: `inspect`, data.verify
};

/// A data set in Convoy's format or in third-party HDF5 files.
class Dataset {
 public:
  /// Collective over `world`. Opens `file`, verifies its checksum (if it has one and `policy` requires it),
  /// its format, and that images and labels match; reads the named splits. Throws, on every rank, with file
  /// and cause: ConfigError (no such file), IoError (cannot be opened or read), DataError (not a data set,
  /// damaged, inconsistent), or the error of a stop that `observer` asks for. "validation|test" names the
  /// first of several splits that exists.
  Dataset(const Options& options, const comm::Communicator& world, const std::vector<std::string>& splits,
          LoadObserver* observer = nullptr);
  /// For one file in Convoy's format.
  Dataset(const std::string& file, const comm::Communicator& world, const std::vector<std::string>& splits,
          ChecksumPolicy policy = ChecksumPolicy::kUpTo4GiB);
  /// Collective over `world`. A data set in memory with the split "train" (memory_split.hpp). Its digest
  /// depends only on its samples.
  Dataset(const MemorySplit& memory, const comm::Communicator& world);
  ~Dataset();
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;

  /// Shape of one image, the same in every split.
  [[nodiscard]] const Shape& shape() const;
  /// Number of network outputs. With labels: number of class_names if there are any, else 1 + the largest
  /// label of all splits. With targets: numbers per sample. With neither: 0.
  [[nodiscard]] std::int64_t classes() const;
  /// True if samples have targets instead of labels.
  [[nodiscard]] bool has_targets() const;
  /// Description of files, types and layout, for a start block.
  [[nodiscard]] const std::string& storage() const;
  /// Warnings about storage that is slow to read; for people.
  [[nodiscard]] const std::vector<std::string>& warnings() const;
  /// Empty if there are none.
  [[nodiscard]] const std::vector<std::string>& class_names() const;
  /// With LabelValues::kSorted: the stored label of each class; else empty.
  [[nodiscard]] const std::vector<std::int64_t>& label_values() const;
  /// 32 hex digits. XXH3-128 of the file from byte 512 on if it has a checksum, else of the whole file (above
  /// 4 GiB: of its size and 4,096 pieces). For several files: of their digests.
  [[nodiscard]] const std::string& digest() const;
  /// A split read at construction, by the words used there; null if it does not exist.
  [[nodiscard]] const Split* split(const std::string& name) const;
  /// The transform for `normalize` and the function of the options: from the file's mean and std; if the file
  /// has none, they are computed once. If a channel's std is 0, the divisor is 1. Precondition for kDataset:
  /// labels or targets.
  [[nodiscard]] InputTransform transform(Normalize normalize) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::data
