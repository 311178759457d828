"""Convoy for Spack 0.22.2 and later, from the git clone that contains this file:

    spack repo add jobs/install/spack
    spack install convoy ^openmpi@4.1
    spack load convoy

MPICH: `^mpich`. Sources that are no git clone: `spack develop --path . convoy@main` in an environment.
"""

import os

try:
    from spack_repo.builtin.build_systems.cmake import CMakePackage, generator  # Spack 1.0 and later
except ImportError:
    pass  # earlier versions: the next line imports them
from spack.package import *


class Convoy(CMakePackage):
    """Trains convolutional networks on CPU clusters with MPI, OpenMP and parallel HDF5: the same bits on any number of
    ranks and threads."""

    git = "file://" + os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 5))

    license("BSD-3-Clause")

    version("main", branch="main")

    variant("mpi", default=True, description="Train on several ranks; without, on one (HDF5 stays the parallel one)")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    generator("ninja")

    depends_on("mpi")
    depends_on("hdf5@1.10.8:+mpi")
    depends_on("boost@1.71:+program_options")
    depends_on("zlib-api")
    depends_on("xxhash@0.8:")
    depends_on("libpng")
    depends_on("jpeg")
    depends_on("libwebp")
    depends_on("libtiff@4.5:")
    depends_on("giflib@5.1:")
    depends_on("fmt@9:")
    depends_on("nlohmann-json@3.11:")
    depends_on("hwloc@2:")
    depends_on("libzip")
    depends_on("protobuf")
    depends_on("libdeflate")
    depends_on("lz4")
    depends_on("zstd")
    depends_on("c-blosc")
    depends_on("bzip2")
    depends_on("googletest", type="test")

    # The C++20 features of the code.
    conflicts("%gcc@:11")
    conflicts("%clang@:13")

    sanity_check_is_file = ["bin/convoy", "share/convoy/configs/quickstart.ini"]

    def cmake_args(self):
        return [
            self.define_from_variant("CONVOY_WITH_MPI", "mpi"),
            self.define("CONVOY_BUILD_TESTS", self.run_tests),
            # A newer, untested compiler may give more warnings.
            self.define("CONVOY_WARNINGS_AS_ERRORS", False),
            self.define("HDF5_C_COMPILER_EXECUTABLE", self.spec["hdf5"].prefix.bin.h5pcc),
            self.define("MPI_C_COMPILER", self.spec["mpi"].mpicc),
        ]

    def check(self):
        with working_dir(self.build_directory):
            ctest("--label-regex", "^unit$", "--output-on-failure")
