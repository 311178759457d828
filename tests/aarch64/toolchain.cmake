# Toolchain for the whole program on AArch64: Debian's cross compiler (package g++-aarch64-linux-gnu) with the headers and
# libraries of Debian's arm64 packages, which tests/aarch64/program unpacks to $CONVOY_ARM64_ROOT.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(CMAKE_SYSROOT $ENV{CONVOY_ARM64_ROOT})
set(CMAKE_FIND_ROOT_PATH ${CMAKE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# The wrappers of MPI and HDF5 are programs of the other processor.
set(libraries ${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu)
set(HDF5_ROOT ${libraries}/hdf5/openmpi)
set(HDF5_NO_FIND_PACKAGE_CONFIG_FILE ON)
set(MPI_C_COMPILER ${CMAKE_C_COMPILER})
set(MPI_C_INCLUDE_PATH ${libraries}/openmpi/include)
set(MPI_C_HEADER_DIR ${libraries}/openmpi/include)
set(MPI_C_LIB_NAMES mpi)
set(MPI_mpi_LIBRARY ${libraries}/libmpi.so)
set(MPI_C_WORKS ON)
set(MPI_C_VERSION 3.1)
