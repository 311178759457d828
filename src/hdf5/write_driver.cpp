#include "write_driver.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <new>

#include "convoy/core/error.hpp"
#include "convoy/io/descriptor.hpp"

namespace convoy::io {
namespace {

// Content of the file access properties; HDF5 copies it byte by byte.
struct DriverSettings {
  WriteFailure* failure;
};

// libhdf5 requires its own struct as the first member.
struct DrivenFile {
  H5FD_t base{};
  int descriptor = -1;
  haddr_t allocated = 0;
  haddr_t end = 0;
  WriteFailure* failure = nullptr;

  void fail(const char* doing) const {
    if (failure->code != 0) return;
    failure->code = errno;
    failure->doing = doing;
  }
};

DrivenFile& driven(H5FD_t* file) {
  return *reinterpret_cast<DrivenFile*>(file);
}
const DrivenFile& driven(const H5FD_t* file) {
  return *reinterpret_cast<const DrivenFile*>(file);
}

H5FD_t* open_file(const char* name, unsigned flags, hid_t access, haddr_t /*largest*/) {
  const auto* settings = static_cast<const DriverSettings*>(H5Pget_driver_info(access));
  if (settings == nullptr) return nullptr;
  // H5Fcreate first opens without H5F_ACC_CREAT, to see whether the file is already open.
  const int mode = O_RDWR | O_CLOEXEC | ((flags & H5F_ACC_CREAT) != 0 ? O_CREAT : 0) |
                   ((flags & H5F_ACC_TRUNC) != 0 ? O_TRUNC : 0);
  auto file = std::unique_ptr<DrivenFile>(new (std::nothrow) DrivenFile);
  if (!file) return nullptr;
  file->failure = settings->failure;
  file->descriptor = ::open(name, mode, 0666);
  if (file->descriptor < 0) {
    if ((flags & H5F_ACC_CREAT) != 0) file->fail("create");
    return nullptr;
  }
  const off_t size = ::lseek(file->descriptor, 0, SEEK_END);
  file->end = size < 0 ? 0 : static_cast<haddr_t>(size);
  return &file.release()->base;
}

herr_t close_file(H5FD_t* file) {
  const std::unique_ptr<DrivenFile> owned(&driven(file));
  if (::close(owned->descriptor) != 0 && errno != EINTR) owned->fail("close");
  return 0;
}

int compare_files(const H5FD_t* left, const H5FD_t* right) {
  return driven(left).descriptor - driven(right).descriptor;
}

herr_t query(const H5FD_t* /*file*/, unsigned long* flags) {
  // The same features as HDF5's driver for plain files: small pieces are gathered before they are written.
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t get_allocated(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return driven(file).allocated;
}

herr_t set_allocated(H5FD_t* file, H5FD_mem_t /*type*/, haddr_t address) {
  driven(file).allocated = address;
  return 0;
}

haddr_t get_end(const H5FD_t* file, H5FD_mem_t /*type*/) {
  return driven(file).end;
}

herr_t read_bytes(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t size,
                  void* buffer) {
  auto* next = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t got = ::pread(driven(file).descriptor, next, size, static_cast<off_t>(address));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) driven(file).fail("read back");
    if (got <= 0) {
      std::memset(next, 0, size);  // reads beyond the end return zeros, as HDF5 requires
      return 0;
    }
    next += got;
    size -= static_cast<size_t>(got);
    address += static_cast<haddr_t>(got);
  }
  return 0;
}

herr_t write_bytes(H5FD_t* file, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t size,
                   const void* buffer) {
  DrivenFile& to = driven(file);
  const auto* next = static_cast<const char*>(buffer);
  while (size > 0 && to.failure->code == 0) {
    const ssize_t put = ::pwrite(to.descriptor, next, size, static_cast<off_t>(address));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      to.fail("write");
      break;
    }
    next += put;
    size -= static_cast<size_t>(put);
    address += static_cast<haddr_t>(put);
  }
  to.end = std::max(to.end, address + size);
  return 0;
}

herr_t truncate(H5FD_t* file, hid_t /*transfer*/, hbool_t /*closing*/) {
  DrivenFile& to = driven(file);
  if (to.end == to.allocated) return 0;
  if (to.failure->code == 0 && ::ftruncate(to.descriptor, static_cast<off_t>(to.allocated)) != 0)
    to.fail("write");
  to.end = to.allocated;
  return 0;
}

const H5FD_class_t& driver_class() {
  static const H5FD_class_t driver = [] {
    H5FD_class_t made{};
#ifdef H5FD_CLASS_VERSION  // since HDF5 1.14
    made.version = H5FD_CLASS_VERSION;
    made.value = 559;  // values from 512 on are free for any use
#endif
    made.name = "convoy-write";
    made.maxaddr = static_cast<haddr_t>(LLONG_MAX);
    made.fc_degree = H5F_CLOSE_STRONG;
    made.fapl_size = sizeof(DriverSettings);
    made.open = open_file;
    made.close = close_file;
    made.cmp = compare_files;
    made.query = query;
    made.get_eoa = get_allocated;
    made.set_eoa = set_allocated;
    made.get_eof = get_end;
    made.read = read_bytes;
    made.write = write_bytes;
    made.truncate = truncate;
    const H5FD_mem_t map[H5FD_MEM_NTYPES] = H5FD_FLMAP_DICHOTOMY;
    std::ranges::copy(map, made.fl_map);
    return made;
  }();
  return driver;
}

}  // namespace

herr_t use_write_driver(hid_t access, WriteFailure* failure) {
  static const hid_t driver = H5FDregister(&driver_class());
  const DriverSettings settings{failure};
  return driver < 0 ? -1 : H5Pset_driver(access, driver, &settings);
}

}  // namespace convoy::io
