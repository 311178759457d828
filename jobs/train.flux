#!/usr/bin/env bash
# Trains under Flux: nodes x ranks x threads as the job has them.
#
#   flux batch [options of flux batch] jobs/train.flux CONFIG [--section.key VALUE ...]
#   TASKS_PER_NODE=2 flux batch --nodes=4 jobs/train.flux configs/resnet20-cifar10.ini
#
# Options of flux batch beat the lines below. Submit it from the folder that relative paths start from; all nodes need to
# see it. The result is the same, bit for bit, on any number of nodes. Two minutes before its time is up the run writes a
# checkpoint and leaves; submit it again: it goes on from there. Open MPI 4 and 5 find their ranks through Flux's plug-in
# flux-pmix, MPICH without (FLUX_MPI= for a site whose Flux serves them otherwise). Environment:
#   TASKS_PER_NODE=N   MPI ranks on each node (1; try one for each socket)
#   CONVOY_JOBS=PATH   the folder of this file, where it is not ./jobs: Flux runs a copy and does not tell
#   FLUX_MPI="..."     words for flux run in place of -o pmi=pmix (Open MPI; none for others)
#   RESUME=never       start afresh; refused where the run's folder holds checkpoints
#   CONVOY=PATH        the program, where it is neither installed nor built in this tree
#flux: --job-name=convoy
#flux: --output=convoy-{{id}}.out
#flux: --nodes=2
#flux: --exclusive
#flux: --time-limit=24h
#flux: --signal=SIGUSR2@120s
set -euo pipefail

jobs=${CONVOY_JOBS:-jobs}
script=train.flux
[ -r "$jobs/lib/launch.sh" ] || { echo "$script: $jobs/lib/launch.sh is not there; CONVOY_JOBS=… names the folder of Convoy's scripts" >&2; exit 2; }
# shellcheck source=jobs/lib/launch.sh
. "$jobs/lib/launch.sh"

[ -n "${FLUX_URI:-}" ] || die "no Flux instance is here (submit this file: flux batch train.flux CONFIG)"
[ $# -ge 1 ] || die "no configuration given (usage: flux batch train.flux CONFIG [--section.key VALUE ...])"
config=$1
shift

program=$(find_convoy)
tasks=${TASKS_PER_NODE:-1}
require_number TASKS_PER_NODE "$tasks"
nodes=$(flux resource list --states=all --no-header --format='{nnodes}' | head -n 1)
cores=$(flux resource list --states=all --no-header --format='{ncores}' | head -n 1)
threads=$((cores / nodes / tasks))
[ "$threads" -ge 1 ] || die "$tasks ranks a node are more than its $((cores / nodes)) cores (TASKS_PER_NODE)"
export OMP_NUM_THREADS=$threads
library=$(mpi_of "$program")
serving=
[[ $library != "Open MPI"* ]] || serving="-o pmi=pmix"
read -ra mpi <<<"${FLUX_MPI-$serving}"
resume_words "$@"
run_leaving flux run --nodes="$nodes" --tasks-per-node="$tasks" --cores-per-task="$threads" ${mpi[@]+"${mpi[@]}"} \
  "$program" train --config "$config" ${resume[@]+"${resume[@]}"} "$@"
