#!/usr/bin/env bash
# Trains on this machine alone: one process, all cores as threads (or --run.threads N), no MPI launcher.
#
#   jobs/single-node.sh CONFIG [--section.key VALUE ...]
#   jobs/single-node.sh configs/lenet5-mnist.ini --train.epochs 5
#
# After an interruption, run it again: it resumes from the newest checkpoint. Environment:
#   RESUME=never   start a new run; refused if the run's folder contains checkpoints
#   CONVOY=PATH    the program, if it is neither installed nor built in this tree
set -euo pipefail
# shellcheck source=jobs/lib/common.sh
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/lib/common.sh"

[ $# -ge 1 ] || die "no configuration given (usage: single-node.sh CONFIG [--section.key VALUE ...])"
config=$1
shift

program=$(find_convoy)
resume_words "$@"
exec "$program" train --config "$config" ${resume[@]+"${resume[@]}"} "$@"
