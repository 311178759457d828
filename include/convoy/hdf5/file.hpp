#pragma once
// HDF5 files: created by all ranks together or by one, opened for reading by each rank independently. Objects
// are named by their path in the file ("/train/images"). This header exposes no HDF5 types; no other room
// includes HDF5's headers.
//
// HDF5 is not thread-safe here: only one thread of a process at a time may call this header. Damaged files
// can crash libhdf5: verify checksums first (checksum.hpp), or read in a child process first
// (child_process.hpp). To write files atomically, use commit.hpp.
//
// Errors contain the file, the object and HDF5's innermost message: IoError if the operating system refused,
// DataError if the content is not as requested.

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/core/team.hpp"

namespace convoy::io {

/// Element types that Convoy distinguishes. Reading converts any number to any type in memory.
enum class ElementType {
  kUint8,
  kInt8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kBool,  ///< an enumeration of FALSE and TRUE, as h5py stores numpy's bool
  kEnum,
  kFloat16,
  kFloat32,
  kFloat64,
  kOtherFloat,
  kString,
  kCompound,
  kVlen,
  kOpaque,
  kReference,
  kOther
};

[[nodiscard]] bool is_integer(ElementType type);
[[nodiscard]] bool is_real(ElementType type);

/// "uint8", "int64", "an enumeration", ...
[[nodiscard]] std::string_view element_name(ElementType type);

/// Types in memory for reading and writing data.
template <class T>
concept Element = std::same_as<T, std::uint8_t> || std::same_as<T, std::int64_t> || std::same_as<T, float> ||
    std::same_as<T, double>;

template <Element T>
inline constexpr ElementType kElementType = std::same_as<T, std::uint8_t>   ? ElementType::kUint8
                                            : std::same_as<T, std::int64_t> ? ElementType::kInt64
                                            : std::same_as<T, float>        ? ElementType::kFloat32
                                                                            : ElementType::kFloat64;

/// Storage of a data set in the file.
struct Storage {
  std::int64_t chunk_rows = 0;  ///< rows (first dimension) per chunk; 0: contiguous, no filters
  int gzip_level = 0;           ///< 0: none; else shuffle + gzip
  bool fletcher32 = false;      ///< a checksum per chunk, verified on reading
};

/// What to read of a data set: all of it, columns of its last axis, or a field of its compound type.
struct Part {
  std::string dataset;
  std::optional<Range> columns{};
  std::string field{};

  Part() = default;
  Part(std::string path) : dataset(std::move(path)) {}  // NOLINT(google-explicit-constructor)
  Part(const char* path) : dataset(path) {}             // NOLINT(google-explicit-constructor)
};
/// "/table[53:58]", "/table[3]", "/table.label", "/table".
[[nodiscard]] std::string text_of(const Part& part);

/// A filter that the chunks of a data set passed when they were written.
struct Filter {
  int id = 0;                ///< in The HDF Group's registry: 1 is gzip
  std::string name;          ///< "gzip"; empty if neither Convoy nor the file names it
  bool is_optional = false;  ///< chunks may have been written without it
  std::string lacking;       ///< empty if this program decodes it; else why it does not
};
/// DataError that says what `object` of `file` is stored with, and what would help. Precondition:
/// filter.lacking.
[[noreturn]] void throw_missing_filter(const std::string& file, const std::string& object,
                                       const Filter& filter);

/// Properties of a part of a data set.
struct DatasetInfo {
  ElementType type = ElementType::kOther;
  Dims dims;   ///< of the part; empty for a scalar
  Dims chunk;  ///< empty if contiguous
  std::int64_t element_bytes = 0;
  std::int64_t stored_bytes = 0;  ///< size in the file, after compression; at most the file's size
  bool is_elsewhere = false;      ///< a virtual data set, or raw bytes in other files
  /// Other files that contain parts of the data set, sorted; includes targets of external links.
  std::vector<std::string> other_files;
  std::vector<std::string> fields;  ///< of a compound type, if the part names none
  std::vector<Filter> filters;      ///< in the order in which they were applied

  /// True if `dims` are larger than the best compression could store in stored_bytes (is_elsewhere: than any
  /// file holds). The data set is then incomplete or damaged; do not allocate memory for it.
  [[nodiscard]] bool promises_too_much() const;
};

/// A group or data set returned by list().
struct Object {
  std::string path;  ///< "/model/conv1/weight"
  bool is_group = false;
};

/// A link to an object in another file.
struct ExternalLink {
  std::string path;  ///< path of the link, "/images"
  /// As stored in the link; relative names are also searched in the folder of this file.
  std::string file;
  std::string object;  ///< path in the other file
};

class File {
 public:
  /// Opens an existing file for reading, without file locks; each rank independently. Throws IoError (cannot
  /// be opened), DataError (not HDF5, truncated).
  [[nodiscard]] static File open(const std::string& path);

  /// Collective over `world`. Creates a file (replacing an existing one) with a user block reserved for the
  /// checksum. All ranks must then make the same calls in the same order; all ranks throw an error of any
  /// rank. Several ranks write through MPI. No time stamps are stored: the same calls produce the same bytes.
  [[nodiscard]] static File create(const std::string& path, const comm::Communicator& world);

  /// Closes and ignores errors; writers call close() first. Collective for a created file.
  ~File();
  File(File&&) noexcept;
  File& operator=(File&&) noexcept;

  /// Flushes and closes. Throws IoError if something could not be written (disk full). Collective for a
  /// created file. Only destruction may follow.
  void close();

  [[nodiscard]] const std::string& path() const;
  /// Size of the user block; 512 in Convoy's files.
  [[nodiscard]] std::int64_t user_block_bytes() const;

  // Queries. `object` is "/" for the root.

  [[nodiscard]] bool exists(const std::string& object) const;
  [[nodiscard]] bool is_group(const std::string& object) const;
  /// All groups and data sets below `group`, sorted by path.
  [[nodiscard]] std::vector<Object> list(const std::string& group = "/") const;
  /// All external links, sorted by path, including links without a target. list() does not follow them.
  [[nodiscard]] std::vector<ExternalLink> external_links() const;
  /// The part that `text` names: "/PATH", "/PATH[3]" or "/PATH[3:8]" (columns of the last axis),
  /// "/PATH.FIELD". A data set whose whole name is `text` comes first. Only parses: info() checks.
  [[nodiscard]] Part part(const std::string& text) const;
  /// Throws DataError if the data set is missing (and says what there is), is not a data set, lacks the
  /// columns or the field, or is a virtual data set whose source files are missing (libhdf5 would read
  /// zeros).
  [[nodiscard]] DatasetInfo info(const Part& part) const;

  // Reading data sets.

  /// Reads rows [rows.begin, rows.end) along the first dimension, converted to T. `dst` has exactly the size
  /// of the rows. A scalar is one row.
  template <Element T>
  void read_rows(const Part& part, const Range& rows, std::span<T> dst) const {
    read_raw(part, rows, kElementType<T>, dst.data(), static_cast<std::int64_t>(dst.size()));
  }
  /// Reads the whole data set. Throws DataError unless its shape is `dims`, or if promises_too_much().
  template <Element T>
  [[nodiscard]] std::vector<T> read(const std::string& dataset, const Dims& dims) const {
    require_shape(dataset, dims);
    std::vector<T> values(static_cast<std::size_t>(count(dims)));
    read_rows<T>(dataset, {0, dims.empty() ? 1 : dims.front()}, values);
    return values;
  }
  /// Reads rows of strings, of fixed or variable length; at most 2^20.
  [[nodiscard]] std::vector<std::string> read_strings(const Part& part, const Range& rows) const;
  /// Reads a whole data set of strings.
  [[nodiscard]] std::vector<std::string> read_strings(const Part& part) const;

  // Attributes of a group or data set.

  /// Names of all attributes of `object`, sorted.
  [[nodiscard]] std::vector<std::string> attribute_names(const std::string& object) const;
  [[nodiscard]] bool has_attribute(const std::string& object, const std::string& name) const;
  /// T is std::int64_t, double (also reads integers), std::string, or a std::vector of one of them (1-D, or a
  /// scalar as one element). Throws DataError if the attribute is missing, has another type, or has several
  /// values and T is a single value.
  template <class T>
  [[nodiscard]] T attribute(const std::string& object, const std::string& name) const;

  // Writing (created files).

  /// Also creates parents. No change if the group exists.
  void create_group(const std::string& group);
  /// Also creates parents. T is the type in the file.
  template <Element T>
  void create_dataset(const std::string& dataset, const Dims& dims, const Storage& storage = {}) {
    create_raw(dataset, dims, kElementType<T>, storage);
  }
  /// Collective. Each rank writes its own rows, possibly none. `src` has exactly the size of the rows.
  template <Element T>
  void write_rows(const std::string& dataset, const Range& rows, std::span<const T> src) {
    write_raw(dataset, rows, kElementType<T>, src.data(), static_cast<std::int64_t>(src.size()));
  }
  /// Writes the chunk whose first row is `row`, as returned by filter_chunk (chunk.hpp): for files that one
  /// rank writes and many ranks compute.
  void write_chunk(const std::string& dataset, std::int64_t row, std::span<const std::uint8_t> filtered);
  /// Collective. Creates and writes a small data set; only rank 0's `values` are written.
  template <Element T>
  void write(const std::string& dataset, const Dims& dims, std::span<const T> values,
             const Storage& storage = {}) {
    create_dataset<T>(dataset, dims, storage);
    write_whole(dataset, dims, kElementType<T>, values.data(), static_cast<std::int64_t>(values.size()));
  }

  /// Collective. Writes a 1-D data set of UTF-8 strings, padded to the longest (parallel HDF5 cannot write
  /// strings of variable length). Precondition: `values` are equal on all ranks.
  void write_strings(const std::string& dataset, const std::vector<std::string>& values);

  /// Strings are stored as variable-length UTF-8.
  void set_attribute(const std::string& object, const std::string& name, std::int64_t value);
  void set_attribute(const std::string& object, const std::string& name, double value);
  void set_attribute(const std::string& object, const std::string& name, std::string_view value);
  void set_attribute(const std::string& object, const std::string& name,
                     const std::vector<std::int64_t>& values);
  void set_attribute(const std::string& object, const std::string& name, const std::vector<double>& values);
  void set_attribute(const std::string& object, const std::string& name,
                     const std::vector<std::string>& values);

 private:
  friend class RowReader;
  struct Impl;
  explicit File(std::unique_ptr<Impl> impl);

  void require_shape(const std::string& dataset, const Dims& dims) const;
  void read_raw(const Part& part, const Range& rows, ElementType type, void* dst, std::int64_t size) const;
  [[noreturn]] void throw_missing(const std::string& dataset) const;
  /// What a soft link leads to; empty if `path` is none.
  [[nodiscard]] std::string soft_link(const std::string& path) const;
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
/// The compressors that this build decodes: "gzip (libdeflate), lzf, ...".
[[nodiscard]] std::string hdf5_compressors();

}  // namespace convoy::io
