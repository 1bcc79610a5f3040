#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes site_agent/trainer/weights/hilum_small.safetensors, the weights that the product brings.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

usage() {
  cat <<'TEXT'
Usage: ./dev pretrain --data MANIFEST.csv [--out DIR]

Pretrains hilum_small on phantoms and on half of the patients of a manifest:
those of openly licensed radiographs (column `licence`: CC BY). Writes
site_agent/trainer/weights/hilum_small.safetensors, and into DIR (default: out/pretrain)
seen.csv and unseen.csv, the manifests of the patients that were used and of
those that were not: only the latter may be counted in any evaluation.

Example: ./dev pretrain --data ../pcxr/manifest.csv
TEXT
}

DATA= OUT=out/pretrain
while [ $# -gt 0 ]; do
  case "$1" in
    --data) DATA=$2; shift 2 ;;
    --out) OUT=$2; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    *) echo "pretrain: no option '$1'" >&2; usage >&2; exit 2 ;;
  esac
done
if [ -z "$DATA" ]; then usage >&2; exit 2; fi
BIN=${HILUM_BIN:-build/bin}
PHANTOMS=${PHANTOMS:-600}
SEED=20
mkdir -p "$OUT"
OUT=$(readlink -f "$OUT")
FOLDER=$(dirname "$(readlink -f "$DATA")")

# Patients by the SHA-256 of their names, every other one; the same each time.
awk -F, 'NR > 1 {print $4}' "$DATA" | sort -u |
  while read -r patient; do
    echo "$(printf %s "$patient" | sha256sum | cut -c1-16) $patient"
  done | sort | awk 'NR % 2 {print $2}' >"$OUT/patients"

# file,mask,label,patient_id,view,site,source_repo,source_path,licence
select_rows() { # seen|unseen
  echo file,mask,label,patient_id,site
  awk -F, -v which="$1" -v folder="$FOLDER" '
    NR == FNR {seen[$1] = 1; next}
    FNR == 1 {next}
    {used = $4 in seen}
    which == "seen" && !(used && $9 ~ /^CC BY [0-9.]+$/) {next}
    which == "unseen" && used {next}
    {print folder "/" $1 "," ($2 == "" ? "" : folder "/" $2) "," $3 "," $4 "," $6}
  ' "$OUT/patients" "$DATA"
}
select_rows seen >"$OUT/seen.csv"
select_rows unseen >"$OUT/unseen.csv"
echo "pretraining on $(($(wc -l <"$OUT/seen.csv") - 1)) radiographs and" \
  "$PHANTOMS phantoms; $(($(wc -l <"$OUT/unseen.csv") - 1)) stay unseen"

"$BIN/hilum-sim" phantoms --count "$PHANTOMS" --seed "$SEED" --size 256 \
  --out "$OUT/phantoms" --force
{
  cat "$OUT/seen.csv"
  awk -F, -v folder="$OUT/phantoms" '
    NR == 1 {for (i = 1; i <= NF; ++i) column[$i] = i; next}
    {print folder "/" $column["file"] "," folder "/" $column["mask"] "," \
      $column["label"] ",phantom-" $column["patient_id"] ",phantoms"}
  ' "$OUT/phantoms/manifest.csv"
} | awk -F, -v OFS=, 'NR > 1 {$5 = "pretraining"} {print}' >"$OUT/manifest.csv"

"$BIN/hilum-sim" run sim/scenarios/pretrain.yaml --data "$OUT/manifest.csv" \
  --sites 1 --out "$OUT/run" --force
WEIGHTS=site_agent/trainer/weights/hilum_small.safetensors
"$BIN/hilum-trainer" weights convert "$OUT/run/model/whole-final.safetensors" \
  "$WEIGHTS" --architecture hilum_small --preprocessing hilum
# The images are public, so the file lists them: a study that starts from it
# leaves them out of its evaluation (docs/weights.md).
"$BIN/hilum-trainer" weights trained-on "$WEIGHTS" "$WEIGHTS" \
  --data "$OUT/seen.csv" --licence "CC BY 4.0 and CC BY 3.0" \
  --name "radiographs of Kermany 2018, Hannover and Cohen"
"$BIN/hilum-trainer" weights trained-on "$WEIGHTS" "$WEIGHTS" --append \
  --data "$OUT/phantoms/manifest.csv" \
  --name "hilum-sim phantoms --count $PHANTOMS --seed $SEED --size 256"
sha256sum "$WEIGHTS"
