#pragma once
// HDF5 driver for a file written by one rank: checked system calls; records the first failure. Private to the
// io room.
//
// If a flush fails, libhdf5 cannot close the file: the identifier remains, partly destroyed, and the process
// crashes at exit. So this driver records the first failure, ignores all later operations, and lets the
// library close normally. File checks for the failure after every call and throws it.

#include <hdf5.h>

namespace convoy::io {

/// The first system call that failed on a file being written.
struct WriteFailure {
  int code = 0;  ///< errno; 0: none yet
  const char* doing = "";
};

/// Makes `access` create files through this driver. `failure` must outlive the file. Returns a negative
/// number if HDF5 refuses.
[[nodiscard]] herr_t use_write_driver(hid_t access, WriteFailure* failure);

}  // namespace convoy::io
