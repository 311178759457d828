# shellcheck shell=bash
# shellcheck disable=SC2034  # `srun` and `program` are used by those who source this
# What the scripts that start several ranks share: passing signals on so that a run leaves with a checkpoint, Slurm's
# ways, and what a run's folder tells. Sourced, never run.

# shellcheck source=jobs/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# run_leaving COMMAND...: runs it (mpirun or srun), and returns its status. USR2, TERM and INT to this script become
# USR2 to the ranks: they write a checkpoint and leave with 75. mpirun passes USR1 and USR2 on, but ends its ranks a
# second after TERM or INT; a second INT means that. USR1 stays USR1: a checkpoint, and on.
run_leaving() {
  local status asked=0
  # A process group of its own: what a terminal sends this script's group must come from here alone.
  set -m
  "$@" </dev/null &
  local child=$!
  set +m
  trap 'kill -USR1 "$child" 2>/dev/null || true' USR1
  trap 'kill -USR2 "$child" 2>/dev/null || true' USR2 TERM
  trap 'asked=$((asked + 1)); if [ "$asked" -eq 1 ]; then kill -USR2 "$child"; else kill -INT "$child"; fi 2>/dev/null || true' INT
  # wait returns at every signal; the child is gone when it cannot be asked for any more.
  while :; do
    status=0
    wait "$child" || status=$?
    kill -0 "$child" 2>/dev/null || break
  done
  trap - USR1 USR2 TERM INT
  return "$status"
}

# mpi_of PROGRAM: the MPI that it runs with, such as "Open MPI v4.1.4".
mpi_of() {
  local mpi
  mpi=$("$1" --version | sed -n 's/^MPI: //p') || true
  [ -n "$mpi" ] || die "'$1 --version' does not tell its MPI; does the program start here?"
  [[ $mpi != none* ]] || die "$1 was built without MPI, and trains on one host alone (single-node.sh)"
  printf '%s\n' "$mpi"
}

# pmi_of MPI: what srun should offer for it: pmix for Open MPI, pmi2 for MPICH and its kin.
pmi_of() {
  case $1 in "Open MPI"*) echo pmix ;; *) echo pmi2 ;; esac
}

# under_slurm: ends the script where no Slurm job is; sets `program` to convoy, and the array `srun` to the launcher with
# its options.
under_slurm() {
  [ -n "${SLURM_JOB_ID:-}" ] || die "no Slurm job is here (submit this file: sbatch $script …)"
  # What the allocation gives beats what the submitting shell had.
  export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
  # Slurm's PMIx plug-in mixes two kinds of fence by default, tree and ring. With the tree it at times lets a rank out
  # of MPI_Init while another is still in its beginning, where the first message ends that one with SIGSEGV (Slurm
  # 22.05 with Open MPI 4.1, 4 ranks on 2 nodes, all cores busy: in 3 of 40 starts; with the ring alone: in none of 160).
  export SLURM_PMIX_FENCE="${SLURM_PMIX_FENCE:-ring}"
  # PMI is what lets the ranks find each other: without it each would train alone. srun has not taken the threads from
  # the allocation by itself since Slurm 22.05. A rank that ends with an error ends the job.
  program=$(find_convoy)
  local mpi
  mpi=$(mpi_of "$program")
  srun=(srun "--mpi=${CONVOY_PMI:-$(pmi_of "$mpi")}" "--cpus-per-task=$OMP_NUM_THREADS" --kill-on-bad-exit=1)
}

# end_with STATUS: ends the script as the run did; says what a killed rank most often means.
end_with() {
  [ "$1" -ne 137 ] || say "A rank was killed (the line 'task N: Killed' or 'Out Of Memory' above names it: N is the rank): most often its node had no memory left. Fewer ranks a node, a smaller train.micro-batch, data.cache = none, or more memory (--mem) would help; 'convoy train --dry-run' tells what a rank needs."
  exit "$1"
}

# setting SECTION KEY PROGRAM ARGUMENTS...: the value that `train` with these arguments would use.
setting() {
  local section=$1 key=$2
  shift 2
  "$1" train "${@:2}" --print-config |
    awk -v section="[$section]" -v key="$key" '/^\[/ { inside = $0 == section } inside && $1 == key { sub(/^[^=]*= */, ""); print; exit }'
}

# newest_checkpoint RUN_DIR: its name; nothing where there is none.
newest_checkpoint() { find "$1/checkpoints" -name 'step-*.h5' -printf '%f\n' 2>/dev/null | sort | tail -n 1 || true; }

# count_start RUN_DIR: prints how often in a row, this time included, a job was started from the checkpoint that is the
# newest now. RUN_DIR/requeue remembers.
count_start() {
  local newest seen='' starts=0
  newest=$(newest_checkpoint "$1")
  [ ! -r "$1/requeue" ] || read -r starts seen <"$1/requeue" || true
  [ "$seen" = "$newest" ] || starts=0
  starts=$((starts + 1))
  # Where that is not possible, the program itself says why.
  { mkdir -p "$1" && printf '%s %s\n' "$starts" "$newest" >"$1/requeue"; } 2>/dev/null || true
  printf '%s\n' "$starts"
}

# seconds_left: of this Slurm job, by the clock of its controller; nothing where it has no limit or nobody answers.
seconds_left() {
  timeout 30 squeue --noheader --jobs "$SLURM_JOB_ID" --format=%L 2>/dev/null |
    awk -F'[-:]' '/^[0-9:-]+$/ { days = /-/ ? $1 : 0; s = 0; for (i = /-/ ? 2 : 1; i <= NF; ++i) s = s * 60 + $i; print days * 86400 + s }' || true
}
