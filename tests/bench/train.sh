#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares training steps of batch 8 at 224 px with Python's eager loop
# (torchvision, the same LibTorch, two threads each), in turns; prints medians
# of images a second.
#   tests/bench/train.sh [ARCHITECTURE...]
set -euo pipefail
HERE=$(dirname "$(readlink -f "$0")")
BIN=$(readlink -f "${HILUM_BIN:-$HERE/../../build/bin}")
TURNS=${TURNS:-3}
PYTHON=/usr/bin/python3
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
export OMP_NUM_THREADS=2

if ! "$PYTHON" -c 'import torchvision' 2>/dev/null; then
  echo "training: $PYTHON has no torchvision: skipped"
  exit 0
fi
median() { sort -n "$1" | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }

pair() { # architecture head|all steps precision
  local turn
  : >"$WORK/python"
  : >"$WORK/last"
  : >"$WORK/ours"
  for ((turn = 0; turn < TURNS; ++turn)); do
    "$BIN/hilum-bench-train" "$1" "$2" 8 224 "$3" "$4" >>"$WORK/ours"
    "$PYTHON" "$HERE/train_reference.py" "$1" "$2" 8 224 "$3" "$4" \
      >>"$WORK/python"
    "$PYTHON" "$HERE/train_reference.py" "$1" "$2" 8 224 "$3" "$4" \
      channels_last >>"$WORK/last"
  done
  awk -v n="$1 $2 $4" -v o="$(median "$WORK/ours")" \
    -v p="$(median "$WORK/python")" -v l="$(median "$WORK/last")" 'BEGIN {
    printf "%-28s  %.2f images/s  Python %.2f (channels_last %.2f)  ", n, o, p, l
    printf "ratio %.2f (%.2f)\n", o / p, o / l }'
}

for architecture in "${@:-vgg16 resnet18 densenet121}"; do
  for name in $architecture; do
    pair "$name" all 5 float32
    pair "$name" head 6 float32
    if grep -q avx512_bf16 /proc/cpuinfo; then
      pair "$name" all 5 bfloat16
    fi
  done
done
