#!/usr/bin/env bash
# ranks_test.sh PROGRAM LAUNCHER...: three ranks fail in every way; checks the job's status and its single message.
set -u
program=$1
shift
launcher=("$@")
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
failures=0

# expect WAY STATUS PATTERN: the only line of Convoy matches PATTERN completely; no line if PATTERN is empty.
expect() {
  local output status lines
  output=$(timeout 60 "${launcher[@]}" -n 3 "$program" "$1" 2>&1)
  status=$?
  lines=$(grep '^convoy' <<<"$output")
  if [ "$status" -ne "$2" ] || ! [[ $lines =~ ^$3$ ]]; then
    printf '%s: status %s, said "%s"; expected %s, "%s"\n' "$1" "$status" "$lines" "$2" "$3"
    failures=$((failures + 1))
  fi
}

expect none 0 ''
expect stop 75 ''
expect all-alike 2 'convoy probe: the same for all'
expect all-differ 4 'convoy probe: mine is 0 \[rank 0 on [^ ]+\]'
expect all-one-late 5 'convoy probe: the loss is NaN'
expect one 3 'convoy probe: no good \[rank 1 on [^ ]+\]'
expect two 4 'convoy probe: disk full \[rank 1 on [^ ]+\]'
expect lower-later 4 'convoy probe: disk full \[rank 1 on [^ ]+\]'
expect memory 4 'convoy probe: out of memory;.* \[rank 2 on [^ ]+\]'
exit $((failures > 0))
