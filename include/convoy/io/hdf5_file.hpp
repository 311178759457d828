#pragma once
// HDF5 files: created by all ranks together or by one, opened for reading by each rank for itself. Objects
// are named by their path in the file ("/train/images"). No HDF5 type shows here, and no other room includes
// HDF5's headers.
//
// HDF5 is not thread-safe here: one thread of a process at a time makes calls into this header. Damaged files
// can crash libhdf5, so verify checksums first (checksum.hpp), or let a child process read first
// (child_process.hpp); put files in place whole (commit.hpp).
//
// Errors name the file, the object and HDF5's own innermost message: IoError where the operating system
// refused, DataError where the content is not what was asked for.

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/core/team.hpp"

namespace convoy::io {

/// Types of elements as we tell them apart. Any number converts to any type of memory on reading.
enum class ElementType {
  kUint8,
  kInt16,
  kUint16,
  kInt64,
  kOtherInteger,
  kFloat16,
  kFloat32,
  kFloat64,
  kOtherFloat,
  kString,
  kOther
};

[[nodiscard]] bool is_integer(ElementType type);
[[nodiscard]] bool is_real(ElementType type);

/// "uint8", "int64", "another integer type", ...
[[nodiscard]] std::string_view element_name(ElementType type);

/// Types of memory that data can be read into and written from.
template <class T>
concept Element = std::same_as<T, std::uint8_t> || std::same_as<T, std::int64_t> || std::same_as<T, float> ||
    std::same_as<T, double>;

template <Element T>
inline constexpr ElementType kElementType = std::same_as<T, std::uint8_t>   ? ElementType::kUint8
                                            : std::same_as<T, std::int64_t> ? ElementType::kInt64
                                            : std::same_as<T, float>        ? ElementType::kFloat32
                                                                            : ElementType::kFloat64;

/// How a data set lies in the file.
struct Storage {
  std::int64_t chunk_rows = 0;  ///< rows (along the first dimension) of a chunk; 0: contiguous, no filters
  int gzip_level = 0;           ///< 0: none; else shuffle + gzip
  bool fletcher32 = false;      ///< a checksum of every chunk, checked by whoever reads it
};

/// What a data set is.
struct DatasetInfo {
  ElementType type = ElementType::kOther;
  Dims dims;   ///< empty for a scalar
  Dims chunk;  ///< empty where contiguous
  std::int64_t element_bytes = 0;
  std::int64_t stored_bytes = 0;         ///< taken in the file, after compression; at most the file's size
  bool is_elsewhere = false;             ///< a virtual data set, or raw bytes in other files
  std::vector<std::string> other_files;  ///< that hold some of it, sorted; those of an external link too

  /// True where `dims` are more than the best compression could have put into stored_bytes (elsewhere: than
  /// any file holds): it was never written to its end, or is damaged. Memory for it should not be taken.
  [[nodiscard]] bool promises_too_much() const;
};

/// A group or data set, as list() finds it.
struct Object {
  std::string path;  ///< "/model/conv1/weight"
  bool is_group = false;
};

/// A name that leads into another file.
struct ExternalLink {
  std::string path;    ///< of the link, "/images"
  std::string file;    ///< as the link says it: relative names are looked for beside this file, too
  std::string object;  ///< path in it
};

class File {
 public:
  /// Opens an existing file for reading, without file locks; each rank for itself. Throws IoError (cannot be
  /// opened), DataError (not HDF5, truncated).
  [[nodiscard]] static File open(const std::string& path);

  /// Collective over `world`. Creates a file (replacing what is there) with a user block set aside for the
  /// sum. Every rank then makes the same calls in the same order; an error of any rank is thrown by all. More
  /// than one rank write through MPI. The content gets no time stamps: the same calls make the same bytes.
  [[nodiscard]] static File create(const std::string& path, const comm::Communicator& world);

  /// Closes, ignoring errors; writers call close() first. Collective for a created file.
  ~File();
  File(File&&) noexcept;
  File& operator=(File&&) noexcept;

  /// Flushes and closes. Throws IoError where something could not be written (disk full). Collective for a
  /// created file. Nothing but destruction may follow.
  void close();

  [[nodiscard]] const std::string& path() const;
  /// Bytes before HDF5's own; 512 in files of ours.
  [[nodiscard]] std::int64_t user_block_bytes() const;

  // What is there. `object` is "/" for the root.

  [[nodiscard]] bool exists(const std::string& object) const;
  [[nodiscard]] bool is_group(const std::string& object) const;
  /// Every group and data set below `group`, sorted by path.
  [[nodiscard]] std::vector<Object> list(const std::string& group = "/") const;
  /// Every external link, which list() does not follow, sorted by path; whether or not it leads anywhere.
  [[nodiscard]] std::vector<ExternalLink> external_links() const;
  /// Throws DataError where `dataset` is missing, no data set, or a virtual one of files that are missing
  /// (which libhdf5 would read as zeros).
  [[nodiscard]] DatasetInfo info(const std::string& dataset) const;

  // Reading data sets.

  /// Rows [rows.begin, rows.end) along the first dimension, converted to T; dst holds them exactly. A scalar
  /// is one row.
  template <Element T>
  void read_rows(const std::string& dataset, const Range& rows, std::span<T> dst) const {
    read_raw(dataset, rows, kElementType<T>, dst.data(), static_cast<std::int64_t>(dst.size()));
  }
  /// The whole data set; throws DataError unless its shape is `dims`, and where that promises too much.
  template <Element T>
  [[nodiscard]] std::vector<T> read(const std::string& dataset, const Dims& dims) const {
    require_shape(dataset, dims);
    std::vector<T> values(static_cast<std::size_t>(count(dims)));
    read_rows<T>(dataset, {0, dims.empty() ? 1 : dims.front()}, values);
    return values;
  }
  /// A data set of strings, fixed or variable length.
  [[nodiscard]] std::vector<std::string> read_strings(const std::string& dataset) const;

  // Attributes of a group or data set.

  /// Names of all attributes of `object`, sorted.
  [[nodiscard]] std::vector<std::string> attribute_names(const std::string& object) const;
  [[nodiscard]] bool has_attribute(const std::string& object, const std::string& name) const;
  /// T is std::int64_t, double (integers too), std::string, or a std::vector of one of them (1-D, or a scalar
  /// as one). Throws DataError where it is missing, of another type, or not a single value where one is asked
  /// for.
  template <class T>
  [[nodiscard]] T attribute(const std::string& object, const std::string& name) const;

  // Writing (created files).

  /// Parents are made too; a group that is there is left as it is.
  void create_group(const std::string& group);
  /// Parents are made too. T is the type in the file.
  template <Element T>
  void create_dataset(const std::string& dataset, const Dims& dims, const Storage& storage = {}) {
    create_raw(dataset, dims, kElementType<T>, storage);
  }
  /// Collective. Each rank gives its own rows, possibly none; `src` holds them exactly.
  template <Element T>
  void write_rows(const std::string& dataset, const Range& rows, std::span<const T> src) {
    write_raw(dataset, rows, kElementType<T>, src.data(), static_cast<std::int64_t>(src.size()));
  }
  /// The chunk whose first row is `row`, whole, as filter_chunk (chunk.hpp) made it: for files that one rank
  /// writes and many compute.
  void write_chunk(const std::string& dataset, std::int64_t row, std::span<const std::uint8_t> filtered);
  /// Collective. Creates and writes a small data set; rank 0 writes its `values`.
  template <Element T>
  void write(const std::string& dataset, const Dims& dims, std::span<const T> values,
             const Storage& storage = {}) {
    create_dataset<T>(dataset, dims, storage);
    write_whole(dataset, dims, kElementType<T>, values.data(), static_cast<std::int64_t>(values.size()));
  }

  /// Collective. A 1-D data set of UTF-8 strings, padded to the longest (parallel HDF5 cannot write strings
  /// of variable length); the same values on every rank.
  void write_strings(const std::string& dataset, const std::vector<std::string>& values);

  /// Strings are variable-length UTF-8.
  void set_attribute(const std::string& object, const std::string& name, std::int64_t value);
  void set_attribute(const std::string& object, const std::string& name, double value);
  void set_attribute(const std::string& object, const std::string& name, std::string_view value);
  void set_attribute(const std::string& object, const std::string& name,
                     const std::vector<std::int64_t>& values);
  void set_attribute(const std::string& object, const std::string& name, const std::vector<double>& values);
  void set_attribute(const std::string& object, const std::string& name,
                     const std::vector<std::string>& values);

 private:
  struct Impl;
  explicit File(std::unique_ptr<Impl> impl);

  void require_shape(const std::string& dataset, const Dims& dims) const;
  void read_raw(const std::string& dataset, const Range& rows, ElementType type, void* dst,
                std::int64_t size) const;
  void create_raw(const std::string& dataset, const Dims& dims, ElementType type, const Storage& storage);
  void write_raw(const std::string& dataset, const Range& rows, ElementType type, const void* src,
                 std::int64_t size);
  void write_whole(const std::string& dataset, const Dims& dims, ElementType type, const void* src,
                   std::int64_t size);

  std::unique_ptr<Impl> impl_;
};

template <>
std::int64_t File::attribute(const std::string& object, const std::string& name) const;
template <>
double File::attribute(const std::string& object, const std::string& name) const;
template <>
std::string File::attribute(const std::string& object, const std::string& name) const;
template <>
std::vector<std::int64_t> File::attribute(const std::string& object, const std::string& name) const;
template <>
std::vector<double> File::attribute(const std::string& object, const std::string& name) const;
template <>
std::vector<std::string> File::attribute(const std::string& object, const std::string& name) const;

/// "1.10.8".
[[nodiscard]] std::string hdf5_version();

}  // namespace convoy::io
