# shellcheck shell=bash
# Common code of the cluster and Slurm tests: a small data set, a run of one local rank, and the comparison with this
# run. To be sourced inside the lab at the start of a test; works in $LAB/out, which all hosts see.

tests_cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$tests_cluster/../.." && pwd)
export CONVOY=${CONVOY:-$repository/build/release/bin/convoy}
export OMP_NUM_THREADS=1
cd "$LAB/out" || exit

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# The hash of parameters and optimizer state in the newest checkpoint of a run directory.
hash_of() {
  local newest
  newest=$(find "$1/checkpoints" -name 'step-*.h5' | sort | tail -n 1)
  [ -n "$newest" ] || fail "$1 holds no checkpoint"
  "$CONVOY" inspect "$newest" | sed -n 's/.*hash of \/model and \/optimizer: \([0-9a-f]\{32\}\).*/\1/p'
}

# The number of ranks of a run, from its start line.
ranks_of() { sed -n 's/^{"event": *"start".*"ranks": *\([0-9]*\).*/\1/p' "$1/metrics.jsonl" | tail -n 1; }

train_here() {
  timeout 120 "$CONVOY" synth --out data.h5 --train 210 --test 40 --classes 4 --seed 3
  timeout 120 "$repository/jobs/single-node.sh" "$tests_cluster/small.ini" --data.file data.h5 --run.dir here
}

# same_as_here RUN_DIR RANKS: ends the test unless the run had RANKS ranks and the bits of the local run.
same_as_here() {
  local expected actual
  expected=$(hash_of here)
  actual=$(hash_of "$1")
  [ -n "$expected" ] || fail "convoy inspect printed no hash"
  [ "$(ranks_of "$1")" = "$2" ] || fail "$1 had $(ranks_of "$1") ranks, not $2"
  [ "$actual" = "$expected" ] || fail "$1 ended with $actual, one rank here with $expected"
  echo "$2 ranks and one rank here: $actual"
}
