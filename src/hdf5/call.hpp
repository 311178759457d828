#pragma once
// All HDF5 calls: checked() checks every result, Handle owns every identifier. Private to the io room.

#include <hdf5.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "convoy/comm/communicator.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/shape.hpp"
#include "convoy/hdf5/file.hpp"
#include "write_driver.hpp"

namespace convoy::io {

/// Kind of access: decides between IoError and DataError.
enum class Access { kRead, kWrite };
struct Place {
  std::string file;
  std::string object;  ///< empty: the file as a whole
  Access access = Access::kRead;
};

/// libhdf5 could not allocate memory.
class OutOfMemory : public DataError {
 public:
  using DataError::DataError;
};

/// Initialises HDF5 for this process. Call before any other HDF5 call.
void start_hdf5();

/// Throws for the failure on HDF5's error stack: IoError if the operating system refused or for
/// Access::kWrite; OutOfMemory if memory was the cause; else DataError.
[[noreturn]] void throw_hdf5(const char* doing, const Place& place);

/// "FILE, object OBJECT", or "FILE".
[[nodiscard]] std::string describe(const Place& place);

/// Returns the result of an HDF5 call; throws if it is negative. `doing` completes "cannot ...".
template <class Result>
Result checked(Result result, const char* doing, const Place& place) {
  if (result < 0) throw_hdf5(doing, place);
  return result;
}

/// Owns an HDF5 identifier; `Close` is its H5?close.
template <auto Close>
class Handle {
 public:
  Handle() = default;
  Handle(hid_t id, const char* doing, const Place& place) : id_(checked(id, doing, place)) {}
  ~Handle() {
    if (id_ >= 0) Close(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  [[nodiscard]] hid_t get() const { return id_; }
  [[nodiscard]] hid_t release() { return std::exchange(id_, H5I_INVALID_HID); }

 private:
  hid_t id_ = H5I_INVALID_HID;
};
using FileHandle = Handle<H5Fclose>;
using ObjectHandle = Handle<H5Oclose>;
using DatasetHandle = Handle<H5Dclose>;
using SpaceHandle = Handle<H5Sclose>;
using TypeHandle = Handle<H5Tclose>;
using AttributeHandle = Handle<H5Aclose>;
using PropertiesHandle = Handle<H5Pclose>;

/// Used by the data-set and the attribute functions of File.
struct File::Impl {
  std::string path;
  std::unique_ptr<WriteFailure> failure =
      std::make_unique<WriteFailure>();  ///< declared before `file`, which points to it
  FileHandle file;
  comm::Communicator world = comm::Communicator::self();
  Access access = Access::kRead;
  bool broken = false;  ///< a write failed: the content is lost

  ~Impl();

  /// Collective for a created file: runs `action` on every rank; one outcome for all.
  void together(const std::function<void()>& action);

  [[nodiscard]] Place place(const std::string& object) const { return {path, object, access}; }
  [[nodiscard]] DatasetHandle open_dataset(const std::string& dataset) const;
};

/// The HDF5 type of T in memory.
[[nodiscard]] hid_t memory_type(ElementType type);
[[nodiscard]] ElementType classify(hid_t type);
/// Extents of a data space; empty for a scalar.
[[nodiscard]] Dims extents(hid_t space, const Place& place);
[[nodiscard]] std::vector<hsize_t> to_hsize(const Dims& dims);
/// Variable-length UTF-8.
[[nodiscard]] TypeHandle text_type(const Place& place);
/// Reads `count` strings of the HDF5 type `type`. `read(memory_type, buffer)` makes the HDF5 call.
[[nodiscard]] std::vector<std::string> read_texts(hid_t type, hid_t space, const Place& place,
                                                  const std::function<herr_t(hid_t, void*)>& read);

}  // namespace convoy::io
