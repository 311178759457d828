# shellcheck shell=bash
# shellcheck disable=SC2034  # scripts that source this file use the lists
# The packages that Debian 12 or 13 needs to build and test Convoy, and a function that installs the missing ones.
# Sourced by jobs/quickstart and tests/run, not run.

# shellcheck source=jobs/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build_packages=(
  g++ cmake ninja-build
  openmpi-bin libopenmpi-dev libhdf5-openmpi-dev libboost-program-options-dev
  zlib1g-dev libxxhash-dev libpng-dev libjpeg62-turbo-dev libwebp-dev libtiff-dev libgif-dev libfmt-dev
  nlohmann-json3-dev libhwloc-dev libzip-dev libprotobuf-dev protobuf-compiler
  libdeflate-dev liblz4-dev libzstd-dev libblosc-dev libbz2-dev # filters of HDF5 files; optional
)
test_packages=(
  libgtest-dev libbenchmark-dev ccache
  clang libomp-dev clang-format clang-tidy shellcheck valgrind
  python3 python3-numpy python3-h5py python3-pil python3-torch
  hdf5-tools xxhash
  libhdf5-dev # without MPI: a test checks that it is refused
  gfortran pkg-config # examples of the library
  python3-onnx python3-opencv # exports
  iproute2 slurmctld slurmd slurm-client munge
)
# In Debian 12 the sanitizer packages have clang's version in their names; since 13 a package without version installs
# the default.
# shellcheck source=/dev/null
case $(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME:-}") in
  bookworm) test_packages+=(libclang-rt-14-dev) ;;
  *) test_packages+=(libclang-rt-dev) ;;
esac
# Additional packages for the tests of the kernels on another processor.
aarch64_packages=(g++-aarch64-linux-gnu qemu-user googletest)
# Additional packages for symbol names in the reports of fuzzers.
fuzz_packages=(llvm)
# The other MPI and its HDF5; Open MPI stays the default of mpirun and mpicc.
mpich_packages=(mpich libmpich-dev libhdf5-mpich-dev)

# File for the output of apt-get, needed only if it fails.
install_log=$convoy_root/build/install.log

# The same without Debian: packages for Spack (or modules of the administrators).
spack_build="spack install gcc@12: cmake@3.25: ninja openmpi@4.1: hdf5@1.10:+mpi boost+program_options zlib xxhash libpng libjpeg-turbo libwebp libtiff@4.5: giflib fmt@9: nlohmann-json@3.11: hwloc@2: libzip protobuf libdeflate lz4 zstd c-blosc bzip2"
spack_test="spack install googletest benchmark ccache llvm py-numpy py-h5py py-pillow py-torch valgrind slurm munge"
spack_mpich="spack install mpich hdf5@1.10:+mpi ^mpich"
spack_aarch64="the distribution's own cross compiler and qemu-user (Spack has none that is ready made)"

# missing_packages NAME...: prints the packages that are not installed, one per line.
missing_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
      printf '%s\n' "$name"
  done
}

# as_root COMMAND...: runs COMMAND as root; fails without root and sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -- "$@"
  fi
}

# Succeeds if this user may install packages. sudo may ask for a password if there is a terminal.
may_install() {
  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null || return
  sudo --non-interactive true 2>/dev/null || [ -t 0 ]
}

# install_packages SPACK_LINE NAME...: installs the missing packages and nothing else. Without permission it prints the
# missing packages and continues.
install_packages() {
  local spack=$1
  shift
  if ! command -v dpkg-query >/dev/null; then
    say "This is no Debian; going on with what is there. Where something is missing: $spack"
    return
  fi
  local missing
  # No process substitution, which needs /dev/fd: a bare chroot has no /proc.
  read -ra missing <<<"$(missing_packages "$@" | tr '\n' ' ')"
  if [ ${#missing[@]} -eq 0 ]; then
    say "All $# packages are installed."
    return
  fi
  if ! may_install; then
    say "Not installed, and neither root nor sudo is here to install them: ${missing[*]}"
    say "  with Debian:     apt-get install --no-install-recommends ${missing[*]}"
    say "  without rights:  $spack"
    say "Going on with what is there."
    return
  fi
  mkdir -p "$(dirname "$install_log")"
  say "Installing ${#missing[@]} of $# packages: ${missing[*]}"
  # The services of the packages need not start, and their questions have good defaults.
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  as_root "${apt[@]}" update >"$install_log" 2>&1 ||
    die "apt-get update failed: $(grep -m 3 '^[EW]:' "$install_log" || tail -n 3 "$install_log")"
  as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" >>"$install_log" 2>&1 ||
    die "apt-get install failed (all of it is in $install_log): $(grep -m 3 '^E:' "$install_log" || tail -n 3 "$install_log")"
}
