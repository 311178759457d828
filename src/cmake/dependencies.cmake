# Libraries Convoy stands on, all from the distribution (or Spack, or modules); nothing is downloaded.
# Those without a good target of their own become an imported target convoy_dep_<name>. Rooms link these by their
# plain names: an installed Convoy finds them again through this same file (src/cmake/install.cmake).

find_package(Threads REQUIRED)
# libxxhash ships no CMake package before 0.8.2.
find_path(XXHASH_INCLUDE_DIR xxhash.h)
find_library(XXHASH_LIBRARY xxhash)
add_library(convoy_dep_xxhash INTERFACE IMPORTED)
if(XXHASH_INCLUDE_DIR AND XXHASH_LIBRARY)
  target_include_directories(convoy_dep_xxhash INTERFACE ${XXHASH_INCLUDE_DIR})
  target_link_libraries(convoy_dep_xxhash INTERFACE ${XXHASH_LIBRARY})
elseif(XXHASH_INCLUDE_DIR AND CMAKE_CROSSCOMPILING)
  # The header, the same for every processor, also holds the whole library.
  target_include_directories(convoy_dep_xxhash INTERFACE ${XXHASH_INCLUDE_DIR})
  target_compile_definitions(convoy_dep_xxhash INTERFACE XXH_INLINE_ALL)
else()
  message(FATAL_ERROR "libxxhash was not found (Debian: libxxhash-dev; Spack: xxhash)")
endif()

# The rooms core and kernels stand on no more than this.
if(CONVOY_KERNELS_ONLY)
  return()
endif()

find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(ZLIB REQUIRED)
find_package(PNG)
find_package(JPEG)
if(NOT PNG_FOUND OR NOT JPEG_FOUND)
  message(FATAL_ERROR "libpng or libjpeg was not found (Debian: libpng-dev, libjpeg62-turbo-dev; "
                      "Spack: libpng, libjpeg-turbo)")
endif()
# hwloc ships no CMake package.
find_path(HWLOC_INCLUDE_DIR hwloc.h)
find_library(HWLOC_LIBRARY hwloc)
if(NOT HWLOC_INCLUDE_DIR OR NOT HWLOC_LIBRARY)
  message(FATAL_ERROR "hwloc 2 was not found (Debian: libhwloc-dev; Spack: hwloc)")
endif()
add_library(convoy_dep_hwloc INTERFACE IMPORTED)
target_include_directories(convoy_dep_hwloc INTERFACE ${HWLOC_INCLUDE_DIR})
target_link_libraries(convoy_dep_hwloc INTERFACE ${HWLOC_LIBRARY})
find_package(Boost 1.71 REQUIRED COMPONENTS program_options)
find_package(fmt 9 QUIET)
if(NOT fmt_FOUND)
  message(FATAL_ERROR "libfmt 9 or later was not found (Debian: libfmt-dev; Spack: fmt)")
endif()
find_package(nlohmann_json 3.11 QUIET)
if(NOT nlohmann_json_FOUND)
  message(FATAL_ERROR "nlohmann's JSON library 3.11 or later was not found (Debian: nlohmann-json3-dev; Spack: "
                      "nlohmann-json)")
endif()

# ONNX files, and archives of numpy arrays (libzip ships a package whose targets need its programs).
find_package(Protobuf QUIET)
if(NOT Protobuf_FOUND OR NOT TARGET protobuf::protoc)
  message(FATAL_ERROR "Protobuf or its compiler was not found (Debian: libprotobuf-dev, protobuf-compiler; Spack: protobuf)")
endif()
find_path(ZIP_INCLUDE_DIR zip.h)
find_library(ZIP_LIBRARY zip)
if(NOT ZIP_INCLUDE_DIR OR NOT ZIP_LIBRARY)
  message(FATAL_ERROR "libzip was not found (Debian: libzip-dev; Spack: libzip)")
endif()
add_library(convoy_dep_zip INTERFACE IMPORTED)
target_include_directories(convoy_dep_zip INTERFACE ${ZIP_INCLUDE_DIR})
target_link_libraries(convoy_dep_zip INTERFACE ${ZIP_LIBRARY})

# Parallel HDF5. Debian keeps it beside the serial one, under names of its own.
if(NOT DEFINED HDF5_PREFER_PARALLEL)
  set(HDF5_PREFER_PARALLEL ON)
endif()
find_package(HDF5 REQUIRED COMPONENTS C)
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR
    "The HDF5 found (${HDF5_C_INCLUDE_DIRS}, version ${HDF5_VERSION}) is serial; Convoy writes checkpoints from all "
    "ranks and needs the parallel one (Debian: libhdf5-openmpi-dev or libhdf5-mpich-dev; Spack: hdf5+mpi; or set HDF5_ROOT)")
endif()
# Parallel HDF5's headers include mpi.h, also where we start no MPI. We use MPI's C interface alone.
include(${CMAKE_CURRENT_LIST_DIR}/mpi_of_hdf5.cmake)
convoy_prefer_mpi_of_hdf5()
find_package(MPI REQUIRED COMPONENTS C)
convoy_check_mpi_of_hdf5()
add_library(convoy_dep_mpi INTERFACE IMPORTED)
target_include_directories(convoy_dep_mpi INTERFACE ${MPI_C_INCLUDE_DIRS})
target_compile_definitions(convoy_dep_mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
target_link_libraries(convoy_dep_mpi INTERFACE MPI::MPI_C)
add_library(convoy_dep_hdf5 INTERFACE IMPORTED)
target_include_directories(convoy_dep_hdf5 INTERFACE ${HDF5_C_INCLUDE_DIRS})
# The names of 1.10, which later versions keep beside their own.
target_compile_definitions(convoy_dep_hdf5 INTERFACE H5_USE_110_API)
target_link_libraries(convoy_dep_hdf5 INTERFACE ${HDF5_C_LIBRARIES} convoy_dep_mpi)
