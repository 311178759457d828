# `cpack -G DEB`, in a build folder: Debian packages convoy (program, pages, configurations, job scripts) and
# libconvoy-dev (the rooms as static libraries, for find_package(convoy)); `cpack -G TGZ` makes archives of the same.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME convoy)
set(CPACK_PACKAGE_VENDOR "the Convoy developers")
set(CPACK_PACKAGE_CONTACT "the Convoy developers <convoy@localhost>" CACHE STRING "Maintainer of the packages")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "trainer of convolutional networks for CPU clusters")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/src/cmake/debian_documents.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

# The package of a launcher, and of what to link with, is that of the MPI found.
set(mpi openmpi)
set(launcher openmpi-bin)
if(MPI_C_LIBRARIES MATCHES mpich)
  set(mpi mpich)
  set(launcher mpich)
endif()

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME convoy)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION science)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS ${launcher})
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "Trains convolutional networks on the ranks and threads of a CPU
cluster, with MPI, OpenMP and parallel HDF5. A run gives the same bits at
any number of ranks and threads, through any interruption.
.
This package has the program, its configurations and job scripts.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libconvoy-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libhdf5-${mpi}-dev, lib${mpi}-dev, libboost-program-options-dev, zlib1g-dev, \
libxxhash-dev, libpng-dev, libjpeg62-turbo-dev | libjpeg-dev, libfmt-dev, nlohmann-json3-dev, libhwloc-dev, \
libzip-dev, libprotobuf-dev, protobuf-compiler, libdeflate-dev, liblz4-dev, libzstd-dev, libblosc-dev, \
libbz2-dev")
# A static library with an optional format needs its library.
foreach(format IN LISTS convoy_image_formats)
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", lib${format}-dev")
endforeach()
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Trains convolutional networks on the ranks and threads of a CPU cluster.
.
This package has its static libraries, headers and CMake package, for
programs that find_package(convoy).")

include(CPack)
