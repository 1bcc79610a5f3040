#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A whole federated study on this machine, with the commands that three
# hospitals and a coordinator type on theirs. Each is shown as it is run.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

usage() {
  cat <<'TEXT'
Usage: ./dev demo [--data MANIFEST.csv] [--study STUDY.yaml] [--out DIR]

  --data   your case manifest: file,label,patient_id,site and optionally mask;
           the hospitals are those of its column `site` (default: phantoms)
  --study  what to train (default: sim/scenarios/demo.yaml)
  --out    where everything goes (default: out/demo; an older demo there is
           replaced)

Example: ./dev demo --data ../pcxr/manifest.csv --study sim/scenarios/pcxr.yaml
TEXT
}

DATA=
STUDY=sim/scenarios/demo.yaml
OUT=out/demo
PHANTOMS=${HILUM_DEMO_PHANTOMS:-240}
wrong_usage() {
  echo "demo: $1" >&2
  usage >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help)
      usage
      exit 0
      ;;
    --data | --study | --out)
      [ $# -ge 2 ] || wrong_usage "$1 needs a value"
      case "$1" in
        --data) DATA=$2 ;;
        --study) STUDY=$2 ;;
        --out) OUT=$2 ;;
      esac
      shift 2
      ;;
    *) wrong_usage "no option '$1'" ;;
  esac
done
BIN=${HILUM_BIN:-build/bin}
case "$BIN" in /*) ;; *) BIN=$PWD/$BIN ;; esac
export PATH=$BIN:$PATH

if [ -e "$OUT" ]; then
  if [ -n "$(ls -A "$OUT")" ] && [ ! -e "$OUT/.hilum-demo" ]; then
    echo "demo: $OUT holds something else; choose another --out" >&2
    exit 1
  fi
  rm -rf "$OUT"
fi
mkdir -p "$OUT/logs"
touch "$OUT/.hilum-demo"

if [ -t 1 ]; then BOLD=$'\e[1m' DIM=$'\e[2m' PLAIN=$'\e[0m'; else BOLD='' DIM='' PLAIN=''; fi
say() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
show() { printf '%s$ %s%s\n' "$DIM" "$*" "$PLAIN"; }
run() {
  show "$@"
  "$@"
}

CHILDREN=()
stop_children() {
  local pid
  for pid in "${CHILDREN[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${CHILDREN[@]}"; do wait "$pid" 2>/dev/null || true; done
}
trap stop_children EXIT
trap 'exit 130' INT TERM

# start NAME COMMAND...: in the background, its output in logs/NAME.log.
start() {
  local name=$1
  shift
  show "$@" "   # runs on; its log: $OUT/logs/$name.log"
  "$@" >"$OUT/logs/$name.log" 2>&1 &
  CHILDREN+=($!)
}

# Waits for a file that process $2, logging to logs/$3.log, will write.
await_file() {
  local tries
  for ((tries = 0; tries < 600; ++tries)); do
    [ -e "$1" ] && return 0
    kill -0 "$2" 2>/dev/null || break
    sleep 0.1
  done
  echo "demo: $3 did not write $1:" >&2
  tail -n 20 "$OUT/logs/$3.log" >&2
  exit 1
}

STARTED=$SECONDS
say "Each hospital has its own radiographs and its own manifest of them"
WEIGHTS=()
if [ -z "$DATA" ]; then
  # Not for radiographs that they may have learned from (docs/weights.md).
  if [ "$STUDY" = sim/scenarios/demo.yaml ]; then
    WEIGHTS=(--weights site_agent/trainer/weights/hilum_small.safetensors
      --fresh-head)
  fi
  DATA=$OUT/data/manifest.csv
  run hilum-sim phantoms --count "$PHANTOMS" --seed 1 --out "$OUT/data"
fi
show hilum-sim partition --data "$DATA" --partition by_site --out "$OUT/sites"
mapfile -t SITES < <(hilum-sim partition --data "$DATA" --partition by_site \
  --out "$OUT/sites")
[ ${#SITES[@]} -gt 0 ] || exit 1
printf '%s\n' "${SITES[@]}"

say "The consortium's authority signs a certificate for each of them"
CA=$OUT/authority
run hilum-certs init --consortium demo --out "$CA"
mkdir -p "$OUT/coordinator/tls"
run hilum-certs site --name coordinator --coordinator --host 127.0.0.1 \
  --out "$OUT/coordinator/tls"
run hilum-certs sign --authority "$CA" \
  --csr "$OUT/coordinator/tls/coordinator.csr" \
  --name coordinator --role coordinator --host 127.0.0.1 \
  --out "$OUT/coordinator/tls/coordinator.crt"
cp "$CA/ca.crt" "$OUT/coordinator/tls/"
for site in "${SITES[@]}"; do
  tls=$OUT/sites/$site/tls
  mkdir -p "$tls"
  run hilum-certs site --name "$site" --out "$tls"
  run hilum-certs sign --authority "$CA" --csr "$tls/$site.csr" \
    --name "$site" --role site --out "$tls/$site.crt"
  cp "$CA/ca.crt" "$tls/"
done

say "The coordinator starts and is given the study"
cat >"$OUT/coordinator/coordinator.yaml" <<TEXT
listen: 127.0.0.1:0
state_dir: state
address_file: address
tls:
  authority: tls/ca.crt
  certificate: tls/coordinator.crt
  private_key: tls/coordinator.key
TEXT
COORDINATOR=$OUT/coordinator/coordinator.yaml
{
  grep -v '^sites:' "$STUDY"
  printf 'sites: [%s]\n' "$(IFS=,; echo "${SITES[*]}")"
} >"$OUT/study.yaml"
start coordinator hilum-coordinator serve --config "$COORDINATOR"
COORDINATOR_PID=${CHILDREN[-1]}
await_file "$OUT/coordinator/address" "$COORDINATOR_PID" coordinator
ADDRESS=$(cat "$OUT/coordinator/address")
# Their certificates, whose keys each officer approves with the study.
CERTIFICATES=()
for site in "${SITES[@]}"; do
  CERTIFICATES+=("$OUT/sites/$site/tls/$site.crt")
done
SUBMIT=(hilum-coordinator study submit --config "$COORDINATOR"
  "${WEIGHTS[@]}" "$OUT/study.yaml" --certificates "${CERTIFICATES[@]}")
show "${SUBMIT[@]}"
HASH=$("${SUBMIT[@]}" | grep -oE '[0-9a-f]{64}' | head -n 1)
echo "$HASH"

say "Each hospital connects; its officer reads the study and approves it"
SITE_PIDS=()
for site in "${SITES[@]}"; do
  cat >"$OUT/sites/$site/site.yaml" <<TEXT
coordinator: $ADDRESS
state_dir: .
manifest: manifest.csv
tls:
  authority: tls/ca.crt
  certificate: tls/$site.crt
  private_key: tls/$site.key
TEXT
  start "$site" hilum-site serve --config "$OUT/sites/$site/site.yaml" \
    --exit-when-done
  SITE_PIDS+=("${CHILDREN[-1]}")
done
for i in "${!SITES[@]}"; do
  site=${SITES[$i]}
  await_file "$OUT/sites/$site/studies/$HASH.study" "${SITE_PIDS[$i]}" "$site"
  if [ "$i" = 0 ]; then
    run hilum-site study show --config "$OUT/sites/$site/site.yaml" "$HASH"
  fi
  run hilum-site study approve --config "$OUT/sites/$site/site.yaml" "$HASH"
done

say "Training: only weight updates travel, and the coordinator can read only their sum"
run hilum-coordinator study watch --config "$COORDINATOR" "$HASH"
for i in "${!SITES[@]}"; do
  wait "${SITE_PIDS[$i]}" || {
    echo "demo: ${SITES[$i]} failed:" >&2
    tail -n 20 "$OUT/logs/${SITES[$i]}.log" >&2
    exit 1
  }
done
run hilum-coordinator study export --config "$COORDINATOR" "$HASH" --out "$OUT"

say "Result"
run hilum-sim table "$OUT/report.json"
say "Done in $((SECONDS - STARTED)) s. The report: $(realpath "$OUT")/report.html"
