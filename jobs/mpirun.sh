#!/usr/bin/env bash
# Trains on several hosts with Open MPI's mpirun, which starts the ranks on other hosts by ssh.
#
#   jobs/mpirun.sh HOSTFILE CONFIG [--section.key VALUE ...]
#   jobs/mpirun.sh hosts.txt configs/resnet20-cifar10.ini
#
# HOSTFILE contains one host per line, as in "node1 slots=8". All hosts must see the program, the data and the current
# folder at the same paths, and accept ssh from here without a password. The result is the same, bit for bit, on any
# number of hosts. On Ctrl-C, SIGTERM or SIGUSR2 to this script, the run writes a checkpoint and exits with status 75;
# run the script again to resume. On SIGUSR1 the run writes a checkpoint and continues. Environment:
#   RANKS_PER_HOST=N     MPI ranks on each host (1; try one for each socket)
#   THREADS_PER_RANK=N   threads of each rank (the cores of this host, divided among its ranks)
#   MPIRUN_OPTIONS=...   further words for mpirun, such as "--mca btl_tcp_if_include eth0"
#   RESUME=never         start a new run; refused if the run's folder contains checkpoints
#   CONVOY=PATH          the program, if it is neither installed nor built in this tree
set -euo pipefail
# shellcheck source=jobs/lib/launch.sh
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/lib/launch.sh"

[ $# -ge 2 ] || die "hostfile or configuration missing (usage: mpirun.sh HOSTFILE CONFIG [--section.key VALUE ...])"
hostfile=$1
config=$2
shift 2
[ -r "$hostfile" ] || die "the hostfile $hostfile cannot be read"
command -v mpirun >/dev/null || die "mpirun was not found (Debian: openmpi-bin; on clusters often 'module load openmpi')"

ranks=${RANKS_PER_HOST:-1}
require_number RANKS_PER_HOST "$ranks"
threads=$(($(usable_cores) / ranks))
[ "$threads" -ge 1 ] || threads=1
threads=${THREADS_PER_RANK:-$threads}
require_number THREADS_PER_RANK "$threads"
read -ra more <<<"${MPIRUN_OPTIONS:-}"

program=$(find_convoy)
resume_words "$@"
mpi=$(mpi_of "$program")
[[ $mpi = "Open MPI"* ]] || die "$program runs with $mpi, and this script speaks the language of Open MPI's mpirun; with MPICH's launcher, and its kind of host file ('node1:8', a host a line): OMP_NUM_THREADS=$threads mpiexec -f $hostfile -ppn $ranks -n RANKS $program train --config $config ${resume[*]} $*"
rank_layout "$ranks" "$threads"
# Without the keepalive, mpirun detects a lost host only after eight minutes; with it, after eleven seconds.
layout+=(--mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3)
run_leaving mpirun --hostfile "$hostfile" "${layout[@]}" ${more[@]+"${more[@]}"} \
  "$program" train --config "$config" ${resume[@]+"${resume[@]}"} "$@"
