# shellcheck shell=bash
# Common functions of the scripts in jobs/ and tests/: messages, finding the program, and the layout of ranks on a host.
# shellcheck disable=SC2034  # scripts that source this file use the arrays
# To be sourced, not run.

convoy_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "$*"; }

# die PROBLEM: prints the problem and ends the script. Status 2 is Convoy's status for usage errors. A scheduler runs a
# copy under another name; `script` is the original name.
die() {
  printf '%s: %s\n' "${script:-$(basename "$0")}" "$*" >&2
  exit 2
}

# build_preset PRESET [OPTION...]: builds a configured preset; OPTIONs go to `cmake --build`. A second build in the same
# folder waits: two that write one precompiled header at once spoil it, and ccache keeps the spoiled one.
build_preset() {
  local folder=build/$1
  (
    if command -v flock >/dev/null; then
      exec {lock}>"$folder/.building"
      flock --nonblock "$lock" || { say "Another build runs in $folder; waiting for its end." && flock "$lock"; }
    fi
    cmake --build --preset "$@"
  )
}

# require_number NAME VALUE: ends the script unless VALUE is a whole number above zero.
require_number() {
  [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || die "$1=$2 is no whole number above zero"
}

# names_resume WORDS...: succeeds if --resume is among them; --resume-anyway is a different option.
names_resume() {
  local word
  for word in "$@"; do
    case $word in --resume | --resume=*) return ;; esac
  done
  return 1
}

# resume_words WORDS...: sets the array `resume` to the resume options of the run: none if the words contain --resume,
# else from $RESUME.
resume_words() {
  resume=(--resume "${RESUME:-auto}")
  ! names_resume "$@" || resume=()
}

# The program, as an absolute path (remote hosts need it): $CONVOY, else the program installed with these scripts or in
# PATH, else the build of this tree.
find_convoy() {
  local candidate
  for candidate in ${CONVOY:+"$CONVOY"} "$convoy_root/../../bin/convoy" "$(command -v convoy || true)" \
    "$convoy_root/build/release/bin/convoy"; do
    if [ -f "$candidate" ] && [ -x "$candidate" ]; then
      realpath "$candidate"
      return
    fi
    # If $CONVOY is set, no other program is used.
    [ -z "${CONVOY:-}" ] || die "CONVOY=$CONVOY is no program (it should be the path of convoy)"
  done
  die "convoy was not found (build it with 'cmake --preset release && cmake --build --preset release', or set CONVOY)"
}

# Number of cores of this host that this process may use; hardware threads of one core count once.
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

# rank_layout RANKS THREADS: sets the array `layout` to mpirun's options for RANKS ranks on each host, each bound to its
# own THREADS cores. If a host like this one has fewer cores, or its cores are unknown (a chroot without /sys), ranks
# share cores instead.
rank_layout() {
  local ranks=$1 threads=$2
  if [ $((ranks * threads)) -le "$(usable_cores)" ] && [ -d /sys/devices/system/cpu/cpu0/topology ]; then
    layout=(--map-by "ppr:$ranks:node:pe=$threads" --bind-to core)
  else
    export HWLOC_HIDE_ERRORS=2
    layout=(--map-by "ppr:$ranks:node" --oversubscribe --bind-to none --mca mpi_yield_when_idle 1)
  fi
  # hwloc's plugin for displays asks an X server, or DNS, at every start: seconds where none answers.
  export HWLOC_COMPONENTS="${HWLOC_COMPONENTS:--gl}"
  # mpirun does not forward the caller's OMP_NUM_THREADS to other hosts by default.
  layout+=(-x "OMP_NUM_THREADS=$threads")
  # mpirun refuses root unless both variables are set; containers often have only root.
  if [ "$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
}
