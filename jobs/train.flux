#!/usr/bin/env bash
# Trains under Flux: nodes x ranks x threads of the job.
#
#   flux batch [options of flux batch] jobs/train.flux CONFIG [--section.key VALUE ...]
#   TASKS_PER_NODE=2 flux batch --nodes=4 jobs/train.flux configs/resnet20-cifar10.ini
#
# Options of flux batch override the lines below. Relative paths start from the folder of submission; all nodes must see
# this folder. The result is the same, bit for bit, on any number of nodes. Two minutes before its time limit the run
# writes a checkpoint and exits; submit it again to resume. Open MPI 4 and 5 find their ranks through Flux's plug-in
# flux-pmix, MPICH without a plug-in (set FLUX_MPI= if the Flux of a site works otherwise). Environment:
#   TASKS_PER_NODE=N   MPI ranks on each node (1; try one for each socket)
#   CONVOY_JOBS=PATH   the folder of this file, if not ./jobs: Flux runs a copy and does not give the original path
#   FLUX_MPI="..."     words for flux run in place of -o pmi=pmix (Open MPI; none for others)
#   RESUME=never       start a new run; refused if the run's folder contains checkpoints
#   CONVOY=PATH        the program, if it is neither installed nor built in this tree
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
