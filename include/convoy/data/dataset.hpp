#pragma once
// Data sets as training sees them: samples by number, normalised into lane blocks.
//
// A split's pictures are held once per node, in memory the node's ranks share, as they are in the file (uint8
// or float32). Each rank reads a part of the file by hyperslab. Labels are held by every rank.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/shape.hpp"

namespace convoy::data {

/// How pictures are brought to the network's input.
enum class Normalize { kDataset, kNone };

/// Section [data] of the configuration.
struct Options {
  std::string file;
  Normalize normalize = Normalize::kDataset;
  bool shuffle = true;
  bool verify = false;  ///< check the sum of files above 4 GiB too
};

/// What is done to a stored pixel x: (x·scale − mean[c]) / std[c], computed in double, rounded once to float.
struct InputTransform {
  Shape shape;               ///< of one picture
  double scale = 1;          ///< 1/255 for uint8
  std::vector<double> mean;  ///< [C]; 0 for Normalize::kNone
  std::vector<double> std;   ///< [C]; 1 for Normalize::kNone
};

/// One split (train, test or validation) of a data set in memory.
class Split {
 public:
  struct Impl;
  explicit Split(std::unique_ptr<Impl> impl);
  ~Split();
  Split(Split&&) noexcept;
  Split& operator=(Split&&) noexcept;

  [[nodiscard]] std::int64_t samples() const;
  /// Class of each sample, [samples].
  [[nodiscard]] std::span<const std::int64_t> labels() const;

  /// Writes the pictures of `samples` (numbers in this split, any order, repeats allowed), transformed, into
  /// lane blocks: dst is [⌈n/16⌉][C][H][W][16]. Idle lanes copy their block's first sample. Thread-safe; one
  /// thread.
  void load(std::span<const std::int64_t> samples, const InputTransform& transform, float* dst) const;

 private:
  std::unique_ptr<Impl> impl_;
};

/// When the sum of a data set file is checked (contract, "Sums").
enum class SumPolicy {
  kUpTo4GiB,  ///< always where the file is small enough for it to be cheap
  kAlways,    ///< whatever its size: `inspect`, data.verify
};

/// An open data set file.
class Dataset {
 public:
  /// Collective over `world`. Opens `file`, checks its sum (where it carries one and `policy` asks for it),
  /// its format and that images and labels fit each other, and reads the named splits. Throws ConfigError (no
  /// such file), IoError (cannot be opened or read), DataError (not a data set, damaged, inconsistent) naming
  /// file and cause; the same on every rank.
  Dataset(const std::string& file, const comm::Communicator& world, const std::vector<std::string>& splits,
          SumPolicy policy = SumPolicy::kUpTo4GiB);
  ~Dataset();
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;

  /// Picture shape, the same in every split.
  [[nodiscard]] const Shape& shape() const;
  /// Number of classes: of class_names where there are any, else 1 + the largest label of all splits.
  [[nodiscard]] std::int64_t classes() const;
  /// Empty where the file names none.
  [[nodiscard]] const std::vector<std::string>& class_names() const;
  /// XXH3-128 of the file from its byte 512 on where it carries a sum, else of the whole file; 32 hex digits.
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
