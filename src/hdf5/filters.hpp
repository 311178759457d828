#pragma once
// HDF5's filters, undone by Convoy: on any thread, by RowReader, and in libhdf5 for all that it reads itself.
// Private to the hdf5 room.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "call.hpp"
#include "convoy/codecs/codecs.hpp"
#include "convoy/hdf5/file.hpp"

namespace convoy::io {

/// A buffer that grows without clearing what it gets.
class Scratch {
 public:
  [[nodiscard]] std::span<std::byte> of(std::size_t size) {
    if (size > size_) {
      bytes_ = std::make_unique_for_overwrite<std::byte[]>(size);
      size_ = size;
    }
    return {bytes_.get(), size};
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_ = 0;
};

/// All filters of one data set.
class Pipeline {
 public:
  /// Of the data set's property list. `chunk_bytes`: of a whole chunk, decoded.
  Pipeline(hid_t creation, std::size_t chunk_bytes, const Place& place);

  /// True if Convoy decodes every one, at most one of which compresses.
  [[nodiscard]] bool is_ours() const;
  /// Decodes a chunk as stored to `chunk`, all of its bytes. Bit i of `skipped`: filter i was not applied to
  /// it. Any thread may call, with `scratch` of its own. Returns what is wrong with the chunk; empty:
  /// nothing. Precondition: is_ours().
  [[nodiscard]] std::string decode(Bytes stored, std::uint32_t skipped, std::span<std::byte> chunk,
                                   std::array<Scratch, 2>& scratch) const;

 private:
  struct Step {
    H5Z_filter_t id;
    std::vector<unsigned> settings;
  };
  std::vector<Step> steps_;  ///< in the order in which they were applied
  std::size_t chunk_bytes_;
};

/// The filters of a data set, for people.
[[nodiscard]] std::vector<Filter> filters_of(hid_t creation, const Place& place);

/// Has libhdf5 decode by Convoy's decoders what it cannot by its own. start_hdf5() calls it.
void register_filters();

/// While it lives, decoders that libhdf5 calls on this thread give out chunks of `bytes` at most: the size
/// that a damaged chunk states is no reason to allocate as much.
class DecodingLimit {
 public:
  explicit DecodingLimit(std::size_t bytes);
  ~DecodingLimit();
  DecodingLimit(const DecodingLimit&) = delete;
  DecodingLimit& operator=(const DecodingLimit&) = delete;
};
/// Bytes of a chunk of `dataset`; 0 if it has none.
[[nodiscard]] std::size_t chunk_bytes_of(hid_t dataset, const Place& place);

/// The most bytes that a chunk of `chunk_bytes` may state as stored, and what is wrong with one that states
/// more.
[[nodiscard]] std::uint64_t most_stored(std::size_t chunk_bytes);
[[nodiscard]] std::string too_large(std::uint64_t stored);

/// Throws for a failed read of `dataset`: names the filter that is missing or the chunk that is damaged, if
/// one is; else as throw_hdf5().
[[noreturn]] void throw_unreadable(hid_t dataset, const Place& place);
/// DataError "damaged chunk in FILE, object OBJECT (...)". `at`: of the chunk's first element.
[[noreturn]] void throw_damaged_chunk(const Place& place, const Dims& at, const std::string& problem);

}  // namespace convoy::io
