#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures a FedAvg round without training: real coordinator and gateways over
# mutual TLS, 47.4 MB a site each way (the size of ResNet18, 11.7 M words of 32
# bits; an update travels as one flat blob, so ten tracks of hilum_small do as
# well as 62 tensors), against the same bytes over bare TLS 1.3 before and
# after. Then ten sites without and with secure aggregation and a head alone (4
# KB): what a round costs with nothing to send.
# Prints medians, and ratios, since only ratios compare between machines.
set -euo pipefail
BIN=${HILUM_BIN:-$(dirname "$(readlink -f "$0")")/../../build/bin}
BIN=$(readlink -f "$BIN")
ROUNDS=${ROUNDS:-8}
WORK=$(mktemp -d)
CHILDREN=()
stop() {
  local pid
  for pid in "${CHILDREN[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${CHILDREN[@]}"; do wait "$pid" 2>/dev/null || true; done
  CHILDREN=()
}
trap 'stop; rm -rf "$WORK"' EXIT

median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }

tls() { # folder name options...
  mkdir -p "$1"
  "$BIN/hilum-certs" site --name "$2" --out "$1" "${@:3}" >/dev/null
  "$BIN/hilum-certs" sign --authority "$AUTHORITY" --csr "$1/$2.csr" \
    --name "$2" --role "$([ "$2" = coordinator ] && echo coordinator || echo site)" \
    --out "$1/$2.crt" "${@:4}" >/dev/null # a coordinator's --host
}

peak_of() { awk '/VmHWM/ {print int($2 / 1024)}' "/proc/$1/status"; } # MB

cpu_of() { # seconds of the processor
  awk -v tick="$(getconf CLK_TCK)" \
    '{sub(/.*\) /, ""); print ($12 + $13) / tick}' "/proc/$1/stat"
}

await() { while ! [ -e "$1" ]; do sleep 0.02; done; }

one_size() { # resnet18|plain|masked|head sites
  local what=$1 n=$2 dir=$WORK/$1-$2 i names= secure=off
  # Each officer accepts the risks of a bench.
  local unpinned= accept=visible_updates
  if [ "$what" = masked ]; then
    secure=on unpinned=--unpinned accept=unpinned_keys
  fi
  mkdir -p "$dir"
  AUTHORITY=$dir/ca
  "$BIN/hilum-certs" init --consortium bench --out "$AUTHORITY" >/dev/null
  tls "$dir" coordinator --coordinator --host 127.0.0.1
  for ((i = 1; i <= n; ++i)); do names+="${names:+, }s$i"; done
  cat >"$dir/coordinator.yaml" <<TEXT
listen: 127.0.0.1:0
state_dir: state
address_file: address
tls: {authority: ca/ca.crt, certificate: coordinator.crt, private_key: coordinator.key}
TEXT
  # Ten tracks of hilum_small: nine folds and the final one.
  local folds=9 trainable=all
  if [ "$what" = head ]; then folds=2 trainable=head; fi
  cat >"$dir/study.yaml" <<TEXT
name: bench
classes: [a, b]
arms: [whole]
sites: [$names]
model: {trainable: $trainable}
cross_validation: {folds: $folds}
training: {rounds: $ROUNDS}
aggregation: {secure_aggregation: $secure}
evaluation: {score_bins: 16}
TEXT
  if [ "$what" = resnet18 ]; then
    "$BIN/hilum-bench-bare-tls" 47400000 "$n" 5 >"$dir/bare"
  fi
  "$BIN/hilum-coordinator" serve --config "$dir/coordinator.yaml" 2>"$dir/log" &
  local server=$!
  CHILDREN+=("$server")
  await "$dir/address"
  local hash
  hash=$("$BIN/hilum-coordinator" study submit --config "$dir/coordinator.yaml" $unpinned \
    "$dir/study.yaml")
  for ((i = 1; i <= n; ++i)); do
    tls "$dir/s$i" "s$i"
    echo file,label,patient_id >"$dir/s$i/manifest.csv"
    cat >"$dir/s$i/site.yaml" <<TEXT
coordinator: $(cat "$dir/address")
state_dir: .
manifest: manifest.csv
trainer: {binary: $BIN/hilum-fake-trainer}
tls: {authority: ../ca/ca.crt, certificate: s$i.crt, private_key: s$i.key}
TEXT
    "$BIN/hilum-site" serve --config "$dir/s$i/site.yaml" 2>"$dir/s$i/log" &
    local site=$!
    CHILDREN+=("$site")
  done
  for ((i = 1; i <= n; ++i)); do
    await "$dir/s$i/studies/$hash.study"
    "$BIN/hilum-site" study approve --config "$dir/s$i/site.yaml" "$hash" \
      --accept $accept >/dev/null
  done
  "$BIN/hilum-coordinator" study watch --config "$dir/coordinator.yaml" "$hash" |
    while read -r line; do echo "$EPOCHREALTIME $line"; done |
    awk '/ round | evaluating/ {if (last) print $1 - last; last = $1}' \
      >"$dir/rounds"
  local size bare round peak site_peak cpu site_cpu
  size=$(stat -c %s "$dir/state/blobs/"* | sort -n | tail -n 1)
  peak=$(peak_of "$server")
  site_peak=$(peak_of "$site")
  cpu=$(cpu_of "$server")
  site_cpu=$(cpu_of "$site")
  stop
  round=$(median <"$dir/rounds")
  # The bytes of one site's messages in round 2.
  local sent
  sent=$(grep '"kind":"SENT"' "$dir/s1/ledger.jsonl" | grep '"round":2[,}]' |
    sed 's/.*"bytes":"\([0-9]*\)".*/\1/' | awk '{sum += $1} END {print sum}')
  if [ "$what" = plain ] || [ "$what" = masked ]; then
    echo "$round $sent $size $peak $site_peak $cpu $site_cpu" >"$WORK/$what"
    return
  fi
  if [ "$what" = head ]; then
    awk -v n="$n" -v r="$round" 'BEGIN {
      printf "%d sites  head only  round %.1f ms\n", n, r * 1e3}'
    return
  fi
  "$BIN/hilum-bench-bare-tls" "$size" "$n" 5 >>"$dir/bare"
  bare=$(median <"$dir/bare")
  awk -v n="$n" -v r="$round" -v b="$bare" -v p="$peak" \
    -v g="$site_peak" -v s="$size" 'BEGIN {
    printf "%d sites  %.1f MB  round %.3f s  bare TLS %.3f s  ratio %.2f  ", \
      n, s / 1e6, r, b, r / b
    printf "peak MB: coordinator %d, gateway %d (2 models + 64 MB: %d)\n", \
      p, g, 2 * s / 1048576 + 64 }'
}

for n in ${SITES:-2 4 8}; do one_size resnet18 "$n"; done
one_size plain 10
one_size masked 10
cat "$WORK/plain" "$WORK/masked" | awk 'NR == 1 {r = $1; size = $3}
  NR == 2 {printf "10 sites  %.1f MB  round %.2f s  masked %.2f s  ratio %.2f", \
    size / 1e6, r, $1, $1 / r
    printf "  bytes a site sends: %.4f of float32", $2 / size
    printf "  peak MB: coordinator %d, gateway %d\n", $4, $5}'
ROUNDS=20 one_size masked 3
awk '{printf "3 sites  masked, a sum of %.1f MB  processor time a round: site %.3f s", \
  $3 / 1e6, $7 / 20
  printf ", coordinator %.3f s\n", $6 / 20}' "$WORK/masked"
one_size head 2
"$BIN/hilum-bench-ring"
"$BIN/hilum-bench-mask" 5
"$BIN/hilum-bench-secure"
mkdir -p "$WORK/load" "$WORK/follow"
"$BIN/hilum-bench-follow" "$WORK/follow"
"$BIN/hilum-bench-load" "$WORK/load"
"$(dirname "$(readlink -f "$0")")/train.sh"
