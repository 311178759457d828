# shellcheck shell=bash
# shellcheck disable=SC2034  # scripts that source this file use `srun` and `program`
# Common functions of the scripts that start several ranks: forwarding signals so that a run writes a checkpoint and
# exits, Slurm options, and reading a run's folder. To be sourced, not run.

# shellcheck source=jobs/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# run_leaving COMMAND...: runs COMMAND (mpirun or srun), and returns its status. USR2, TERM, HUP and INT to this script
# are sent as USR2 to the ranks: they write a checkpoint and exit with 75. mpirun forwards USR1 and USR2, but ends its ranks
# one second after TERM or INT; a second INT to this script does this. USR1 is forwarded as USR1: the ranks write a
# checkpoint and continue.
run_leaving() {
  local status asked=0
  # A separate process group: signals from a terminal must reach COMMAND only through this script.
  set -m
  "$@" </dev/null &
  local child=$!
  set +m
  trap 'kill -USR1 "$child" 2>/dev/null || true' USR1
  trap 'kill -USR2 "$child" 2>/dev/null || true' USR2 TERM HUP
  trap 'asked=$((asked + 1)); if [ "$asked" -eq 1 ]; then kill -USR2 "$child"; else kill -INT "$child"; fi 2>/dev/null || true' INT
  # wait returns at every signal; the child has ended when kill -0 fails.
  while :; do
    status=0
    wait "$child" || status=$?
    kill -0 "$child" 2>/dev/null || break
  done
  trap - USR1 USR2 TERM HUP INT
  return "$status"
}

# mpi_of PROGRAM: prints the MPI of PROGRAM, such as "Open MPI v4.1.4".
mpi_of() {
  local mpi
  mpi=$("$1" --version | sed -n 's/^MPI: //p') || true
  [ -n "$mpi" ] || die "'$1 --version' does not tell its MPI; does the program start here?"
  [[ $mpi != none* ]] || die "$1 was built without MPI, and trains on one host alone (single-node.sh)"
  printf '%s\n' "$mpi"
}

# pmi_of MPI: prints the value of srun's --mpi: pmix for Open MPI, pmi2 for MPICH and its derivatives.
pmi_of() {
  case $1 in "Open MPI"*) echo pmix ;; *) echo pmi2 ;; esac
}

# under_slurm: ends the script outside a Slurm job; sets `program` to convoy, and the array `srun` to the launcher with
# its options.
under_slurm() {
  [ -n "${SLURM_JOB_ID:-}" ] || die "no Slurm job is here (submit this file: sbatch $script …)"
  # The allocation has precedence over the variables of the submitting shell.
  export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
  # Slurm's PMIx plug-in mixes two kinds of fence by default, tree and ring. With the tree, a rank sometimes leaves
  # MPI_Init while another rank is still at the start of MPI_Init; the first message then ends the other rank with
  # SIGSEGV (Slurm 22.05 with Open MPI 4.1, 4 ranks on 2 nodes, all cores busy: 3 of 40 starts; with the ring alone: 0
  # of 160).
  export SLURM_PMIX_FENCE="${SLURM_PMIX_FENCE:-ring}"
  # Ranks find each other through PMI; without PMI each would train alone. Since Slurm 22.05 srun does not inherit the
  # threads of the allocation. A rank that ends with an error ends the job.
  program=$(find_convoy)
  local mpi
  mpi=$(mpi_of "$program")
  srun=(srun "--mpi=${CONVOY_PMI:-$(pmi_of "$mpi")}" "--cpus-per-task=$OMP_NUM_THREADS" --kill-on-bad-exit=1)
}

# end_with STATUS: ends the script with the status of the run; for a killed rank, prints the most likely cause.
end_with() {
  [ "$1" -ne 137 ] || say "A rank was killed (the line 'task N: Killed' or 'Out Of Memory' above names it: N is the rank): most often its node had no memory left. Fewer ranks a node, a smaller train.micro-batch, data.cache = none, or more memory (--mem) would help; 'convoy train --dry-run' tells what a rank needs."
  exit "$1"
}

# setting SECTION KEY PROGRAM ARGUMENTS...: prints the value that `train` would use with these arguments.
setting() {
  local section=$1 key=$2
  shift 2
  "$1" train "${@:2}" --print-config |
    awk -v section="[$section]" -v key="$key" '/^\[/ { inside = $0 == section } inside && $1 == key { sub(/^[^=]*= */, ""); print; exit }'
}

# newest_checkpoint RUN_DIR: prints its name; nothing if there is none.
newest_checkpoint() { find "$1/checkpoints" -name 'step-*.h5' -printf '%f\n' 2>/dev/null | sort | tail -n 1 || true; }

# count_start RUN_DIR: prints the number of consecutive starts, including this one, from the checkpoint that is now the
# newest. The count is stored in RUN_DIR/requeue.
count_start() {
  local newest seen='' starts=0
  newest=$(newest_checkpoint "$1")
  [ ! -r "$1/requeue" ] || read -r starts seen <"$1/requeue" || true
  [ "$seen" = "$newest" ] || starts=0
  starts=$((starts + 1))
  # If this fails, the program itself reports the cause.
  { mkdir -p "$1" && printf '%s %s\n' "$starts" "$newest" >"$1/requeue"; } 2>/dev/null || true
  printf '%s\n' "$starts"
}

# seconds_left: prints the remaining seconds of this Slurm job, by the clock of its controller; nothing without a limit
# or an answer.
seconds_left() {
  timeout 30 squeue --noheader --jobs "$SLURM_JOB_ID" --format=%L 2>/dev/null |
    awk -F'[-:]' '/^[0-9:-]+$/ { days = /-/ ? $1 : 0; s = 0; for (i = /-/ ? 2 : 1; i <= NF; ++i) s = s * 60 + $i; print days * 86400 + s }' || true
}
