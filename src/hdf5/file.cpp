#include "convoy/hdf5/file.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "call.hpp"
#include "convoy/core/error.hpp"
#include "convoy/io/checksum.hpp"
#include "convoy/io/collective.hpp"
#include "convoy/io/descriptor.hpp"
#include "convoy/io/file_kind.hpp"
#include "convoy/io/file_system.hpp"
#include "filters.hpp"

namespace convoy::io {
namespace {

PropertiesHandle file_access(const Place& place) {
  start_hdf5();
  PropertiesHandle access(H5Pcreate(H5P_FILE_ACCESS), "prepare to open", place);
  // Closing the file must close all its objects: an open identifier would silently keep the file open.
  checked(H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG), "prepare to open", place);
  // Network file systems often lack flock(). Locks are not needed: files that we read are complete, and files
  // that we write have unique names.
  checked(H5Pset_file_locking(access.get(), false, true), "prepare to open", place);
  return access;
}

#ifdef H5_HAVE_PARALLEL
/// Hints for MPI-IO; HDF5 keeps a copy.
class Hints {
 public:
  explicit Hints(const Place& place) : place_(place) { require(MPI_Info_create(&info_)); }
  ~Hints() { MPI_Info_free(&info_); }
  Hints(const Hints&) = delete;
  Hints& operator=(const Hints&) = delete;
  void set(const char* key, const char* value) { require(MPI_Info_set(info_, key, value)); }
  [[nodiscard]] MPI_Info get() const { return info_; }

 private:
  void require(int code) const {
    if (code != MPI_SUCCESS)
      throw IoError("cannot prepare to create " + place_.file + " (MPI takes no hints for it)");
  }

  const Place& place_;
  MPI_Info info_ = MPI_INFO_NULL;
};
#endif

void choose_driver(const PropertiesHandle& access, const comm::Communicator& world, WriteFailure* failure,
                   const Place& place) {
#ifdef H5_HAVE_PARALLEL
  const auto* handle = static_cast<const MPI_Comm*>(world.native_handle());
  if (world.size() == 1 || handle == nullptr) {
    checked(use_write_driver(access.get(), failure), "prepare to create", place);
    return;
  }
  // Without this hint, ROMIO reads, modifies and writes back the gaps between a rank's pieces, under file
  // locks, and aborts the job if locks are missing. We write each byte once, so it is not needed. (On NFS it
  // locks for every write.)
  Hints hints(place);
  hints.set("romio_ds_write", "disable");
  checked(H5Pset_fapl_mpio(access.get(), *handle, hints.get()), "prepare to create", place);
  checked(H5Pset_all_coll_metadata_ops(access.get(), true), "prepare to create", place);
  checked(H5Pset_coll_metadata_write(access.get(), true), "prepare to create", place);
#else
  if (world.size() > 1)
    throw IoError("cannot create " + place.file + " from several ranks (HDF5 was built without MPI)");
  checked(use_write_driver(access.get(), failure), "prepare to create", place);
#endif
}

PropertiesHandle transfer(const comm::Communicator& world, const Place& place) {
  PropertiesHandle properties(H5Pcreate(H5P_DATASET_XFER), "prepare to write", place);
#ifdef H5_HAVE_PARALLEL
  if (world.size() > 1)
    checked(H5Pset_dxpl_mpio(properties.get(), H5FD_MPIO_COLLECTIVE), "prepare to write", place);
#else
  (void)world;
#endif
  return properties;
}

// Elements of one row: all elements at one index of the first dimension.
std::int64_t row_size(const Dims& dims, const std::optional<Range>& columns) {
  if (dims.empty()) return 1;
  const std::int64_t all = count(Dims(dims.begin() + 1, dims.end()));
  return columns && dims.back() > 0 ? all / dims.back() * columns->size() : all;
}

// Data spaces of a transfer of `rows`. Checks that the rows exist and have exactly the size of the caller's
// memory.
struct Selection {
  SpaceHandle in_file;
  SpaceHandle in_memory;
};

Selection select_rows(hid_t dataset, const Range& rows, const std::optional<Range>& columns,
                      std::int64_t size, const Place& place) {
  Selection selection;
  selection.in_file = SpaceHandle(H5Dget_space(dataset), "read the shape of", place);
  const Dims dims = extents(selection.in_file.get(), place);
  const std::int64_t all = dims.empty() ? 1 : dims.front();
  if (rows.begin < 0 || rows.end < rows.begin || rows.end > all ||
      rows.size() * row_size(dims, columns) != size)
    throw std::logic_error(fmt::format("rows [{}, {}) of {} with shape {} do not fit a buffer of {} elements",
                                       rows.begin, rows.end, describe(place), to_string(dims), size));
  // The memory has the dimensions of the selected rows: libhdf5 copies between selections of different ranks
  // element by element.
  std::vector<hsize_t> start(dims.size(), 0);
  std::vector<hsize_t> extent = to_hsize(dims);
  if (!dims.empty()) {
    start.front() = static_cast<hsize_t>(rows.begin);
    extent.front() = static_cast<hsize_t>(rows.size());
    if (columns) {
      start.back() = static_cast<hsize_t>(columns->begin);
      extent.back() = static_cast<hsize_t>(columns->size());
    }
  }
  selection.in_memory =
      SpaceHandle(dims.empty() ? H5Screate(H5S_SCALAR)
                               : H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr),
                  "select rows of", place);
  if (size == 0) {
    checked(H5Sselect_none(selection.in_file.get()), "select rows of", place);
    checked(H5Sselect_none(selection.in_memory.get()), "select rows of", place);
  } else if (!dims.empty()) {
    checked(H5Sselect_hyperslab(selection.in_file.get(), H5S_SELECT_SET, start.data(), nullptr, extent.data(),
                                nullptr),
            "select rows of", place);
  }
  return selection;
}

PropertiesHandle making_parents(const Place& place) {
  PropertiesHandle links(H5Pcreate(H5P_LINK_CREATE), "create", place);
  checked(H5Pset_create_intermediate_group(links.get(), 1), "create", place);
  return links;
}

bool is_number(ElementType type) {
  return is_integer(type) || is_real(type);
}

}  // namespace

File::File(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
File::~File() = default;
File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;

const std::string& File::path() const {
  return impl_->path;
}

File::Impl::~Impl() {
  // After a failed write through MPI the file cannot be closed: libhdf5 would flush again on every rank and
  // crash or wait. It stays open until the process ends, which follows.
  if (broken && world.size() > 1) (void)file.release();
}

void File::Impl::together(const std::function<void()>& action) {
  try {
    agreed(world, [&] {
      try {
        action();
      } catch (const Error&) {
        if (failure->code == 0) throw;  // else HDF5's error only follows from the system's
      }
      if (failure->code != 0) throw_errno(failure->doing, path, failure->code);
    });
  } catch (const IoError&) {
    broken = true;
    throw;
  }
}

File File::open(const std::string& path) {
  require_regular_file(path);
  start_hdf5();
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  const Place place = impl->place("");
  const PropertiesHandle access = file_access(place);
  hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());
  if (file < 0) {
    // For a missing or forbidden file, the system's message is clearer than HDF5's.
    Descriptor(path, O_RDONLY, "open").close();
    const std::string kind = H5Fis_hdf5(path.c_str()) == 0 ? kind_of_file(path) : std::string();
    if (!kind.empty()) throw DataError(fmt::format("{} is no HDF5 file: {}", path, kind));
    file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());  // again, for its reason
  }
  impl->file = FileHandle(file, "open", place);
  return File(std::move(impl));
}

File File::create(const std::string& path, const comm::Communicator& world) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->world = world;
  impl->access = Access::kWrite;
  impl->together([&] {
    const Place place = impl->place("");
    const PropertiesHandle access = file_access(place);
    choose_driver(access, world, impl->failure.get(), place);
    const PropertiesHandle creation(H5Pcreate(H5P_FILE_CREATE), "prepare to create", place);
    checked(H5Pset_userblock(creation.get(), kUserBlockBytes), "prepare to create", place);
    impl->file =
        FileHandle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), "create", place);
  });
  return File(std::move(impl));
}

void File::close() {
  const bool writing = impl_->access == Access::kWrite;
  // Flush first: all ranks agree on a failure before the file is closed.
  if (writing)
    impl_->together(
        [&] { checked(H5Fflush(impl_->file.get(), H5F_SCOPE_LOCAL), "write", impl_->place("")); });
  impl_->together([&] { checked(H5Fclose(impl_->file.release()), "close", impl_->place("")); });
}

DatasetHandle File::Impl::open_dataset(const std::string& dataset) const {
  const Place where = place(dataset);
  return {H5Dopen2(file.get(), dataset.c_str(), H5P_DEFAULT), "open", where};
}

namespace {

// The type of `part` in the file: the data set's, or its field's.
TypeHandle type_of(hid_t dataset, const Part& part, const Place& place) {
  TypeHandle type(H5Dget_type(dataset), "read the type of", place);
  if (part.field.empty()) return type;
  const int member = checked(H5Tget_member_index(type.get(), part.field.c_str()), "find the field of", place);
  return {H5Tget_member_type(type.get(), static_cast<unsigned>(member)), "read the type of", place};
}

// The type in memory that reads `part` into elements of `type`.
TypeHandle reading_type(hid_t type, const Part& part, const Place& place) {
  if (part.field.empty()) return {H5Tcopy(type), "read", place};
  TypeHandle record(H5Tcreate(H5T_COMPOUND, H5Tget_size(type)), "read", place);
  checked(H5Tinsert(record.get(), part.field.c_str(), 0, type), "read", place);
  return record;
}

}  // namespace

void File::read_raw(const Part& part, const Range& rows, ElementType type, void* dst,
                    std::int64_t size) const {
  const Place place = impl_->place(part.dataset);
  const DatasetHandle handle = impl_->open_dataset(part.dataset);
  const ElementType in_file = classify(type_of(handle.get(), part, place).get());
  if (!is_number(in_file))
    throw DataError(fmt::format("wrong type in {} (it is {}); it should hold numbers", describe(place),
                                element_name(in_file)));
  const Selection selection = select_rows(handle.get(), rows, part.columns, size, place);
  const TypeHandle memory = reading_type(memory_type(type), part, place);
  const DecodingLimit limit(chunk_bytes_of(handle.get(), place));
  if (H5Dread(handle.get(), memory.get(), selection.in_memory.get(), selection.in_file.get(), H5P_DEFAULT,
              dst) < 0)
    throw_unreadable(handle.get(), place);
}

std::vector<std::string> File::read_strings(const Part& part, const Range& rows) const {
  const Place place = impl_->place(part.dataset);
  const DatasetHandle handle = impl_->open_dataset(part.dataset);
  const TypeHandle type = type_of(handle.get(), part, place);
  const SpaceHandle space(H5Dget_space(handle.get()), "read the shape of", place);
  const std::int64_t size = rows.size() * row_size(extents(space.get(), place), part.columns);
  const Selection selection = select_rows(handle.get(), rows, part.columns, size, place);
  const DecodingLimit limit(chunk_bytes_of(handle.get(), place));
  return read_texts(type.get(), selection.in_memory.get(), place, [&](hid_t text, void* buffer) {
    const TypeHandle memory = reading_type(text, part, place);
    if (H5Dread(handle.get(), memory.get(), selection.in_memory.get(), selection.in_file.get(), H5P_DEFAULT,
                buffer) < 0)
      throw_unreadable(handle.get(), place);
    return herr_t{0};
  });
}

std::vector<std::string> File::read_strings(const Part& part) const {
  const Dims dims = info(part).dims;
  return read_strings(part, {0, dims.empty() ? 1 : dims.front()});
}

void File::create_group(const std::string& group) {
  impl_->together([&] {
    if (exists(group)) return;
    const Place place = impl_->place(group);
    const PropertiesHandle links = making_parents(place);
    const ObjectHandle handle(
        H5Gcreate2(impl_->file.get(), group.c_str(), links.get(), H5P_DEFAULT, H5P_DEFAULT), "create", place);
  });
}

void File::create_raw(const std::string& dataset, const Dims& dims, ElementType type,
                      const Storage& storage) {
  impl_->together([&] {
    const Place place = impl_->place(dataset);
    const std::vector<hsize_t> extent = to_hsize(dims);
    const SpaceHandle space(dims.empty()
                                ? H5Screate(H5S_SCALAR)
                                : H5Screate_simple(static_cast<int>(dims.size()), extent.data(), nullptr),
                            "create", place);
    const PropertiesHandle creation(H5Pcreate(H5P_DATASET_CREATE), "create", place);
    checked(H5Pset_obj_track_times(creation.get(), false), "create", place);
    if (storage.chunk_rows > 0 && count(dims) > 0 && !dims.empty()) {
      std::vector<hsize_t> chunk = extent;
      chunk.front() = std::min<hsize_t>(static_cast<hsize_t>(storage.chunk_rows), extent.front());
      checked(H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data()), "create", place);
      if (storage.gzip_level > 0) {
        checked(H5Pset_shuffle(creation.get()), "create", place);
        checked(H5Pset_deflate(creation.get(), static_cast<unsigned>(storage.gzip_level)), "create", place);
      }
      if (storage.fletcher32) checked(H5Pset_fletcher32(creation.get()), "create", place);
    }
    const PropertiesHandle links = making_parents(place);
    const DatasetHandle handle(H5Dcreate2(impl_->file.get(), dataset.c_str(), memory_type(type), space.get(),
                                          links.get(), creation.get(), H5P_DEFAULT),
                               "create", place);
  });
}

void File::write_raw(const std::string& dataset, const Range& rows, ElementType type, const void* src,
                     std::int64_t size) {
  // Each rank's rows differ: check them, and agree, before any rank enters the collective write.
  const Place place = impl_->place(dataset);
  DatasetHandle handle;
  Selection selection;
  impl_->together([&] {
    handle = impl_->open_dataset(dataset);
    selection = select_rows(handle.get(), rows, std::nullopt, size, place);
  });
  impl_->together([&] {
    const PropertiesHandle properties = transfer(impl_->world, place);
    // HDF5 requires a pointer even for an empty selection.
    const char nothing = 0;
    checked(H5Dwrite(handle.get(), memory_type(type), selection.in_memory.get(), selection.in_file.get(),
                     properties.get(), src == nullptr ? &nothing : src),
            "write", place);
  });
}

void File::write_whole(const std::string& dataset, const Dims& dims, ElementType type, const void* src,
                       std::int64_t size) {
  const bool mine = impl_->world.is_root();
  const std::int64_t rows = dims.empty() ? 1 : dims.front();
  // A scalar has one row: rank 0 writes it, the others write none.
  write_raw(dataset, {0, mine ? rows : 0}, type, src, mine ? size : 0);
}

void File::write_strings(const std::string& dataset, const std::vector<std::string>& values) {
  std::size_t width = 1;
  for (const std::string& value : values) width = std::max(width, value.size());
  std::string packed;
  for (const std::string& value : values) packed += value + std::string(width - value.size(), '\0');
  const Place place = impl_->place(dataset);
  impl_->together([&] {
    const TypeHandle type(H5Tcopy(H5T_C_S1), "create", place);
    checked(H5Tset_size(type.get(), width), "create", place);
    checked(H5Tset_cset(type.get(), H5T_CSET_UTF8), "create", place);
    checked(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "create", place);
    const auto extent = static_cast<hsize_t>(values.size());
    const SpaceHandle space(H5Screate_simple(1, &extent, nullptr), "create", place);
    const PropertiesHandle creation(H5Pcreate(H5P_DATASET_CREATE), "create", place);
    checked(H5Pset_obj_track_times(creation.get(), false), "create", place);
    const PropertiesHandle links = making_parents(place);
    const DatasetHandle handle(H5Dcreate2(impl_->file.get(), dataset.c_str(), type.get(), space.get(),
                                          links.get(), creation.get(), H5P_DEFAULT),
                               "create", place);
    if (values.empty()) return;
    if (!impl_->world.is_root()) checked(H5Sselect_none(space.get()), "write", place);
    const PropertiesHandle properties = transfer(impl_->world, place);
    checked(H5Dwrite(handle.get(), type.get(), space.get(), space.get(), properties.get(), packed.data()),
            "write", place);
  });
}

}  // namespace convoy::io
