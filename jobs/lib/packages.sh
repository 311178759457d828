# shellcheck shell=bash
# shellcheck disable=SC2034  # the lists are used by those who source this
# What a Debian 12 or 13 needs to build and to test Convoy, and how the missing part of it is installed.
# Sourced by jobs/quickstart and tests/run, never run.

# shellcheck source=jobs/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build_packages=(
  g++ cmake ninja-build
  openmpi-bin libopenmpi-dev libhdf5-openmpi-dev libboost-program-options-dev
  zlib1g-dev libxxhash-dev libpng-dev libjpeg62-turbo-dev libfmt-dev
  nlohmann-json3-dev libhwloc-dev
)
test_packages=(
  libgtest-dev libbenchmark-dev ccache
  clang libomp-dev clang-format clang-tidy shellcheck valgrind
  python3 python3-numpy python3-h5py python3-pil python3-torch
  hdf5-tools xxhash
  libhdf5-dev # without MPI: to be refused
  iproute2 slurmctld slurmd slurm-client munge
)
# The sanitizers' libraries carry clang's version in Debian 12; from 13 on a package without one brings the default's.
# shellcheck source=/dev/null
case $(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME:-}") in
  bookworm) test_packages+=(libclang-rt-14-dev) ;;
  *) test_packages+=(libclang-rt-dev) ;;
esac
# What the tests of the kernels on another processor need, beside those above.
aarch64_packages=(g++-aarch64-linux-gnu qemu-user googletest)
# What tells the names in a fuzzer's reports, beside those above.
fuzz_packages=(llvm)
# The other MPI and its HDF5; beside Open MPI, which stays the default of mpirun and mpicc.
mpich_packages=(mpich libmpich-dev libhdf5-mpich-dev)

# Where apt-get's words go; they matter only when it fails.
install_log=$convoy_root/build/install.log

# The same without Debian: what to ask Spack (or the administrators' modules) for.
spack_build="spack install gcc@12: cmake@3.25: ninja openmpi@4.1: hdf5@1.10:+mpi boost+program_options zlib xxhash libpng libjpeg-turbo fmt@9: nlohmann-json@3.11: hwloc@2:"
spack_test="spack install googletest benchmark ccache llvm py-numpy py-h5py py-pillow py-torch valgrind slurm munge"
spack_mpich="spack install mpich hdf5@1.10:+mpi ^mpich"
spack_aarch64="the distribution's own cross compiler and qemu-user (Spack has none that is ready made)"

# missing_packages NAME...: those that dpkg does not hold installed, one a line.
missing_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
      printf '%s\n' "$name"
  done
}

# as_root COMMAND...: runs it as root; fails where neither root nor sudo is there.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo -- "$@"
  fi
}

# May this user install? sudo may ask for a password where there is a terminal to ask on.
may_install() {
  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null || return
  sudo --non-interactive true 2>/dev/null || [ -t 0 ]
}

# install_packages SPACK_LINE NAME...: installs what is missing of the packages, and nothing else; without the right
# to, says what is missing and goes on with what is there.
install_packages() {
  local spack=$1
  shift
  if ! command -v dpkg-query >/dev/null; then
    say "This is no Debian; going on with what is there. Where something is missing: $spack"
    return
  fi
  local missing
  # Not by process substitution, which needs /dev/fd: a bare chroot has no /proc.
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
  # The packages' own services need not start for us, and their questions have good defaults.
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  as_root "${apt[@]}" update >"$install_log" 2>&1 ||
    die "apt-get update failed: $(grep -m 3 '^[EW]:' "$install_log" || tail -n 3 "$install_log")"
  as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" >>"$install_log" 2>&1 ||
    die "apt-get install failed (all of it is in $install_log): $(grep -m 3 '^E:' "$install_log" || tail -n 3 "$install_log")"
}
