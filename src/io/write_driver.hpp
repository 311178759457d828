#pragma once
// How HDF5 reaches the disk where one rank writes a file: plain checked system calls, and an honest word
// about the first that failed. Private to the io room.
//
// libhdf5 cannot close a file it cannot flush: the identifier stays, half taken apart, and the process
// crashes on it at exit. So this driver remembers the first failure, swallows everything after it, and lets
// the library close in peace; File asks for the failure after every call and throws it.

#include <hdf5.h>

namespace convoy::io {

/// The first system call that failed on a file being written.
struct WriteFailure {
  int code = 0;  ///< errno; 0: none yet
  const char* doing = "";
};

/// Makes `access` create files through this driver. `failure` must outlive the file.
/// Returns a negative number where HDF5 refuses.
[[nodiscard]] herr_t use_write_driver(hid_t access, WriteFailure* failure);

}  // namespace convoy::io
