# shellcheck shell=bash
# What the scripts in jobs/ and tests/ share: messages, finding the program, and how ranks are laid on a host.
# shellcheck disable=SC2034  # the arrays are used by those who source this
# Sourced, never run.

convoy_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "$*"; }

# die PROBLEM: ends the script with its cause. Status 2 is Convoy's for a wrong use. A scheduler runs a copy under a name
# of its own; `script` is ours.
die() {
  printf '%s: %s\n' "${script:-$(basename "$0")}" "$*" >&2
  exit 2
}

# require_number NAME VALUE: ends the script unless it is a whole number above zero.
require_number() {
  [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || die "$1=$2 is no whole number above zero"
}

# names_resume WORDS...: is --resume among them? --resume-anyway is another option.
names_resume() {
  local word
  for word in "$@"; do
    case $word in --resume | --resume=*) return ;; esac
  done
  return 1
}

# resume_words WORDS...: sets the array `resume` to how the run begins: as the words say, else as $RESUME does.
resume_words() {
  resume=(--resume "${RESUME:-auto}")
  ! names_resume "$@" || resume=()
}

# The program, as an absolute path (remote hosts start it by that): $CONVOY, else the one installed beside these
# scripts or in PATH, else this tree's build.
find_convoy() {
  local candidate
  for candidate in ${CONVOY:+"$CONVOY"} "$convoy_root/../../bin/convoy" "$(command -v convoy || true)" \
    "$convoy_root/build/release/bin/convoy"; do
    if [ -f "$candidate" ] && [ -x "$candidate" ]; then
      realpath "$candidate"
      return
    fi
    # Where it is set it comes first, and nothing else will do.
    [ -z "${CONVOY:-}" ] || die "CONVOY=$CONVOY is no program (it should be the path of convoy)"
  done
  die "convoy was not found (build it with 'cmake --preset release && cmake --build --preset release', or set CONVOY)"
}

# Cores of this host that this process may use: hardware threads of one core count once.
usable_cores() {
  local usable
  usable=$(nproc)
  if command -v lscpu >/dev/null; then
    local cores
    cores=$(lscpu --parse=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l)
    [ "$cores" -eq 0 ] || [ "$cores" -ge "$usable" ] || usable=$cores
  fi
  printf '%s\n' "$usable"
}

# rank_layout RANKS THREADS: sets the array `layout` to mpirun's options for so many ranks on each host, each bound to
# THREADS cores of its own; where a host like this one has fewer cores, or does not tell its cores (a chroot without
# /sys), they share them instead.
rank_layout() {
  local ranks=$1 threads=$2
  if [ $((ranks * threads)) -le "$(usable_cores)" ] && [ -d /sys/devices/system/cpu/cpu0/topology ]; then
    layout=(--map-by "ppr:$ranks:node:pe=$threads" --bind-to core)
  else
    export HWLOC_HIDE_ERRORS=2
    layout=(--map-by "ppr:$ranks:node" --oversubscribe --bind-to none --mca mpi_yield_when_idle 1)
  fi
  # OMP_NUM_THREADS of the caller does not reach other hosts by itself.
  layout+=(-x "OMP_NUM_THREADS=$threads")
  # mpirun refuses root unless told twice; containers have no other user.
  if [ "$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
}
