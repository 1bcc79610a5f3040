#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks secagg.pml and history.pml in every state, and checks that each planted
# mistake is found.
# usage: run.sh BUILD_FOLDER
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
folder=${1:?usage: run.sh FOLDER}
command -v spin >/dev/null || {
  echo "run.sh: spin is not installed; ./dev deps installs it" >&2
  exit 1
}

# check NAME: selects NAME.pml for the following searches.
check() {
  model=$here/$1.pml
  out=$folder/$1
  rm -rf "$out"
  mkdir -p "$out"
}

# search NAME FLAGS DEFINES...: builds pan and runs it; its output is in
# $out/NAME/log. FLAGS are for the compiler, except -l, which is for pan.
search() {
  local name=$1 flags=$2
  shift 2
  mkdir "$out/$name"
  cd "$out/$name"
  spin "$@" -a "$model" >spin.log 2>&1 || { cat spin.log; exit 1; }
  ${CC:-cc} -w ${flags/-l/} -DMEMLIM=1000 -o pan pan.c
  ./pan -m50000 -w22 $(grep -o -e '-l\b' <<<"$flags" || true) >log 2>&1 || true
}

# holds NAME FLAGS DEFINES...: searches every state, each stored in full, and
# expects no error.
holds() {
  search "$@"
  local incomplete='Search not completed|max search depth too small'
  incomplete+='|memory limit|out of memory|Bit statespace|[Hh]ash.?[Cc]ompact'
  if ! grep -q '^Full statespace search' log ||
    ! grep -q 'errors: 0$' log || grep -qE "$incomplete" log; then
    cat log
    shift 2
    local trail
    trail=$(basename "$model").trail
    [ ! -f "$trail" ] ||
      spin "$@" -t -k "$trail" -T "$model" | grep -v '^ *$'
    echo "run.sh: $PWD: an error, or an incomplete search" >&2
    exit 1
  fi
  awk -v name="$1" '/states, stored/ { states = $1 }
    /elapsed time/ { seconds = $4 }
    /total actual memory/ { memory = $1 }
    END { printf "holds  %-28s %8d states %6.2f s %4d MB\n",
          name, states, seconds, memory }' log
}

# breaks PATTERN NAME DEFINES...: expects an error that matches PATTERN.
breaks() {
  local pattern=$1
  shift
  search "$1" '-O0 -DSAFETY' "${@:2}"
  if ! grep -q 'errors: [1-9]' log || ! grep -q "$pattern" log; then
    cat log
    echo "run.sh: $PWD: no such error: $pattern" >&2
    exit 1
  fi
  printf 'caught %s\n' "$1"
}

# -O2 costs more in the compiler than it saves in the search.
quick='-O0 -DSAFETY'
long='-O1 -DSAFETY'

check secagg
holds n3 "$quick" -DN=3
holds n3-one-corrupt "$quick" -DN=3 -DCORRUPT=1
holds n4 "$long" -DN=4
holds n4-one-corrupt "$quick" -DN=4 -DCORRUPT=1
holds n3-honest-server "$quick" -DN=3 -DHONEST
holds n4-honest-server "$long" -DN=4 -DHONEST
holds n3-honest-server-no-cycle '-O0 -DNP -l' -DN=3 -DHONEST

a='assertion violated ( !((1&1))'
b='assertion violated ( !((2&2))'
c='assertion violated ( !((4&4))'
e='assertion violated ( !((8&8))'
f='assertion violated ( !((16&16))'
breaks "$a" a-reveal-both -DCHECKED=1 -DMUTATION_REVEAL_BOTH
breaks "$a" a-confirm-twice -DCHECKED=1 -DMUTATION_CONFIRM_TWICE
breaks "$b" b-half-threshold -DCHECKED=2 -DMUTATION_HALF_THRESHOLD
breaks "$b" b-any-roster -DCHECKED=2 -DMINIMUM_ROSTER=1
breaks "$b" b-no-survivor-minimum -DCHECKED=2 -DCORRUPT=1 \
  -DMUTATION_NO_SURVIVOR_MINIMUM
breaks "$b" b-unbound -DCHECKED=2 -DCORRUPT=1 -DMUTATION_SHARES_UNBOUND \
  -DMUTATION_SIGNATURES_UNBOUND
breaks "$c" c-no-quorum -DCHECKED=4 -DMUTATION_NO_QUORUM
breaks "$c" c-roster-of-half -DCHECKED=4 -DMINIMUM_ROSTER=2
breaks "$c" c-forgetful-restart -DCHECKED=4 -DMUTATION_FORGETFUL_RESTART
breaks "$c" c-two-corrupt -DCHECKED=4 -DCORRUPT=2
breaks "$e" e-unbound -DCHECKED=8 -DMUTATION_QUESTION_UNSIGNED \
  -DMUTATION_QUESTION_UNMASKED
breaks "$e" e-asked-again -DCHECKED=8 -DMUTATION_ASKED_AGAIN
breaks "$f" f-digest-unsigned -DCHECKED=16 -DMUTATION_DIGEST_UNSIGNED
breaks "$f" f-commitment-unsigned -DCHECKED=16 -DMUTATION_COMMITMENT_UNSIGNED
breaks "$f" f-sharers-unsigned -DCHECKED=16 -DMUTATION_SHARERS_UNSIGNED
breaks "$f" f-claims-unconfirmed -DCHECKED=16 -DCORRUPT=1 \
  -DMUTATION_CLAIMS_UNCONFIRMED
breaks 'invalid end state' d-no-deadline -DHONEST -DMUTATION_NO_DEADLINE
breaks 'invalid end state' d-silent-abort -DN=3 -DHONEST -DMUTATION_SILENT_ABORT
breaks 'assertion violated (sum' d-all-must-confirm -DHONEST \
  -DMUTATION_ALL_MUST_CONFIRM

# Shows that a, b, c, e and f do not hold merely because no sum is unmasked.
sum='assertion violated ((live==0)'
breaks "$sum" n3-sum -DN=3 -DMUTATION_NO_SUM_IN_SESSION=1
breaks "$sum" n3-one-corrupt-sum -DN=3 -DCORRUPT=1 \
  -DMUTATION_NO_SUM_IN_SESSION=1
breaks "$sum" n4-second-sum -DN=4 -DMUTATION_NO_SUM_IN_SESSION=2
breaks "$sum" n4-one-corrupt-second-sum -DN=4 -DCORRUPT=1 \
  -DMUTATION_NO_SUM_IN_SESSION=2

check history
holds n3 "$quick" -DN=3 -DROUNDS=6
holds n3-one-corrupt "$quick" -DN=3 -DROUNDS=6 -DCORRUPT=1
holds n4 "$long" -DN=4
holds n4-one-corrupt "$long" -DN=4 -DCORRUPT=1
three=-DROUNDS=3
holds n3-by-survivors "$quick" -DN=3 -DROUNDS=6 -DBY_SURVIVORS
holds n4-by-survivors "$quick" -DN=4 $three -DBY_SURVIVORS
holds n4-one-corrupt-by-survivors "$quick" -DN=4 $three -DCORRUPT=1 \
  -DBY_SURVIVORS

g=$a h=$b i=$c j=$e
breaks "$g" g-restart-forgets $three -DCHECKED=1 -DMUTATION_FORGETS_REVEALED
breaks "$g" g-lost-believed $three -DCHECKED=1 -DMUTATION_LOST_BELIEVED
breaks "$g" g-threshold-of-roster $three -DCHECKED=1 \
  -DMUTATION_ROSTER_THRESHOLD
breaks "$g" g-two-corrupt $three -DCHECKED=1 -DCORRUPT=2
breaks "$h" h-counts-told $three -DCHECKED=2 -DMUTATION_COUNTS_TOLD
breaks "$h" h-no-history $three -DCHECKED=2 -DMUTATION_NO_HISTORY
breaks "$i" i-no-comparison $three -DCHECKED=4 -DMUTATION_NO_COMPARISON
breaks "$j" j-no-checksums $three -DCHECKED=8 -DMUTATION_NO_CHECKSUMS
breaks "$j" j-no-signatures $three -DCHECKED=8 -DMUTATION_NO_SIGNATURES
breaks "$j" j-old-opening $three -DCHECKED=8 -DMUTATION_OLD_OPENING
breaks "$j" j-checks-another $three -DCHECKED=8 -DMUTATION_CHECKS_ANOTHER
breaks "$j" j-survivor-away $three -DCHECKED=8 -DMUTATION_SURVIVOR_AWAY
breaks "$j" j-restart-forgets $three -DCHECKED=8 -DMUTATION_FORGETS_LAST

# Shows that g to j do not hold merely because studies end early. Each of these
# happens: a third sum that follows from two, a sum with a site that was away, a
# second sum after one that was said to be lost.
breaks 'assertion violated (((1!=1)' n4-third-sum $three -DREACH=1
breaks 'assertion violated (((2!=2)' n4-returned $three -DREACH=2
breaks 'assertion violated (((3!=3)' n4-second-of-lost $three -DREACH=3

echo "$SECONDS s in all"
