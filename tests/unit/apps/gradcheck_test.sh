#!/bin/sh
# gradcheck_test.sh CONVOY GRADCHECK_BROKEN: `convoy gradcheck` returns 0 for a right network, 1 for a wrong one (and
# names the wrong layer), and 2 without its data set.
set -u
convoy=$1
broken=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

fail() {
  echo "$1"
  cat output
  exit 1
}

# run STATUS PROGRAM ARGUMENTS...
run() {
  expected=$1
  shift
  "$@" >output 2>&1
  status=$?
  [ "$status" -eq "$expected" ] || fail "status $status instead of $expected: $*"
}

says() {
  grep -q -e "$1" output || fail "the output does not say: $1"
}

network() {
  cat >net.ini <<END
[data]
file = data.h5
[network]
layer = conv 3 3x3
layer = relu
layer = maxpool 2x2
layer = $1 8
layer = tanh
layer = dense 3
loss = softmax-cross-entropy
[schedule]
lr = 0.1
[run]
dir = run
END
}

network dense
run 2 "$convoy" gradcheck --config net.ini
says 'data.h5'
run 0 "$convoy" synth --out data.h5 --train 8 --test 2 --classes 3 --size 12x12
run 0 "$convoy" gradcheck --config net.ini --samples 2 --entries 20
says 'The gradients are right.'
says '^  conv1  *weight  *3x1x3x3  *20  *0 '

network wrongdense
run 2 "$convoy" gradcheck --config net.ini
says "unknown keyword 'wrongdense'"
run 1 "$broken" --config net.ini --samples 2 --entries 1000
says '^Worst: wrongdense1 weight\[0,0\], .*WRONG'
says 'The gradients are WRONG.'
[ ! -e run ] || fail 'gradcheck wrote run.dir'
