// SPDX-License-Identifier: Apache-2.0
// A study's sums, one after the other, for spin. README.md says what is
// modelled, what is left out and what was found; run.sh checks all of it.
//
//   -DN=n              sites, 3 or 4
//   -DCORRUPT=c        the last c of them work for the coordinator (0)
//   -DROUNDS=r         sums that the coordinator may begin (4)
//   -DCHECKED=p        properties: g 1, h 2, i 4, j 8 (15)
//   -DBY_SURVIVORS     another rule for old openings, see RECENT
//   -DMUTATION_x       a mistake, which must show as an error
//   -DREACH=x          something that can happen, which must show as an error
//
// Sets of sites are bit masks. One sum is one step: secagg.pml models its
// inside.

#ifndef N
#define N 4
#endif
#ifndef CORRUPT
#define CORRUPT 0
#endif
#ifndef ROUNDS
#define ROUNDS 4
#endif
#ifndef CHECKED
#define CHECKED 15
#endif
#define CLAIM_G(claim) assert(!(CHECKED & 1) || (claim))
#define CLAIM_H(claim) assert(!(CHECKED & 2) || (claim))
#define CLAIM_I(claim) assert(!(CHECKED & 4) || (claim))
#define CLAIM_J(claim) assert(!(CHECKED & 8) || (claim))

#define BIT(u) (1 << (u))
#define HAS(set, u) (((set) >> (u)) & 1)
#define SUBSET(part, whole) (((part) & ~(whole)) == 0)
#define SIZE(set) (HAS(set, 0) + HAS(set, 1) + HAS(set, 2) + HAS(set, 3))
#define ALL (BIT(N) - 1)
#define SITES (N - CORRUPT)
#define CORRUPTED (ALL & ~(BIT(SITES) - 1))

// The fewest sites of a sum; n is the number of sites in the approved study.
#ifdef MUTATION_ROSTER_THRESHOLD
#define T(list) (2 * SIZE(list) / 3 + 1)
#else
#define T(list) (2 * N / 3 + 1)
#endif

// The state of a study: 0 at the start, else 2 k + v after the sum of round k.
// v is 0 if the published sum is the sum of the survivors' vectors, else 1.
// This number determines all that the history digest covers: the state before,
// the round, the survivors, the published sum.
#define ROUND(state) ((state) >> 1)
#define FORGED(state) ((state) & 1)
#define MADE_UP (2 * (ROUNDS + 1))

// The sums that were begun, by round: t sites or more have confirmed each. The
// coordinator knows all of this.
byte rounds;
byte start[ROUNDS + 2];     // the state that it starts from
byte list[ROUNDS + 2];      // its survivors
byte counted[ROUNDS + 2];   // N, the cohort's counts, in the state after it
bool readable[ROUNDS + 2];  // t sites have revealed: the sum is known

// A site's data on disk. A restart does not change it.
byte state[N];
byte counts[N];         // N as the site has it; 0: no census yet
byte last[N];           // the last round to which it gave a vector
byte revealed_key[N];   // the (kind, model) of the last sum it revealed in; 0:
byte revealed_list[N];  // none; and that sum's survivors

// The coordinator's choices for one step.
hidden byte who, which, forged, lie, survivors, willing;

// Scratch of one d_step, which sets it before it reads it.
hidden byte u, k, some, key, before, census;
bool refused;  // zero between steps

// The first sum is of the censuses, and leaves the model unchanged; all others
// train the model. Two sums never give the same model.
#define CENSUS(k) (start[k] == 0)
#define MODEL(state) \
  ((state) == 0 || CENSUS(ROUND(state)) -> 0 : (state))
#define KEY(state) ((state) == 0 -> 1 : 2 + MODEL(state))

// The sum of the censuses: its sites, and whether it is forged.
#define COUNTS(list, v) ((list) | (v) << 4)
#define FALSE_COUNTS 128

// A site computes its question from its own state. The question includes the
// round and the kind too, but these are the same for all sites of a sum.
#ifdef MUTATION_NO_HISTORY
#define ALIKE(a, b) (KEY(a) == KEY(b))
#else
#define ALIKE(a, b) ((a) == (b))
#endif

// The checksums that all survivors sign must give the published sum. A
// corrupted survivor can sign a checksum that fits any sum, as if it had sent
// another vector. No checksum fits if the own masks stayed closed.
#if defined(MUTATION_NO_CHECKSUMS)
#define PASSES(k, v) true
#elif defined(MUTATION_CHECKS_ANOTHER)
// The site checks another opening than the one that its state came from.
#define PASSES(k, v) readable[k]
#else
#define PASSES(k, v) (readable[k] && (!(v) || (list[k] & CORRUPTED)))
#endif

// Whether u checks the sum of round k before it gives its next vector: u was in
// the sum, or u's state is the one from which it began. Other sites trust the
// coordinator.
#if defined(MUTATION_SURVIVOR_AWAY) || defined(BY_SURVIVORS)
#define CHECKS(u, k) (state[u] == start[k])
#else
#define CHECKS(u, k) (last[u] == (k) || state[u] == start[k])
#endif

// u takes no opening of a round before its state's round, or before the last
// round to which it gave a vector. BY_SURVIVORS is a rule that needs no memory:
// u takes the opening of a sum that it was in only from the state from which
// the sum began.
#if defined(MUTATION_OLD_OPENING) || defined(MUTATION_SURVIVOR_AWAY)
#define RECENT(u, k) ((k) > ROUND(state[u]))
#elif defined(BY_SURVIVORS)
#define RECENT(u, k)          \
  ((k) > ROUND(state[u]) &&   \
   (state[u] == start[k] || !HAS(list[k], u)))
#else
#define RECENT(u, k) ((k) > ROUND(state[u]) && (k) >= last[u])
#endif

// Whether a site may have the state after sum k if sum `before` was the last
// that could be read: k is that sum, or is of the same model and list.
#ifdef BY_SURVIVORS
#define AFTER(k, before) (readable[k] && start[k] == start[before])
#else
#define AFTER(k, before) ((k) == (before))
#endif

// All sums of one model have one list of survivors.
#ifdef MUTATION_LOST_BELIEVED
#define MAY_REVEAL(u, key, set) true
#else
#define MAY_REVEAL(u, key, set) \
  (revealed_key[u] != (key) || revealed_list[u] == (set))
#endif

// Whether the coordinator may choose N.
#ifdef MUTATION_COUNTS_TOLD
#define TOLD_COUNTS(u, k) true
#elif defined(MUTATION_NO_HISTORY)
#define TOLD_COUNTS(u, k) (!CHECKS(u, k))
#else
#define TOLD_COUNTS(u, k) false
#endif

// Sites that took their state on the coordinator's word.
#if defined(MUTATION_NO_COMPARISON) || defined(REACH)
#define WATCH_RETURNED
byte returned;
#endif
#ifdef MUTATION_NO_COMPARISON
#define COMPARED(u) (!HAS(returned, u))
#else
#define COMPARED(u) true
#endif

// ---------------------------------------------------------------------------
// Checks the properties of the sum of round k, which can be read.

inline Judge() {
  before = 0;  // the last sum before it that could be read
  census = 0;  // the sites whose censuses were summed
  for (u : 1 .. ROUNDS) {
    if
    :: u < k && readable[u] ->
      before = u;
      CLAIM_G(KEY(start[u]) != key || list[u] == list[k]);
      if :: CENSUS(u) -> census = list[u] :: else fi
    :: else
    fi
  }
  for (u : 0 .. SITES - 1) {
    if
    :: HAS(list[k], u) ->
      CLAIM_I(state[u] == start[k]);
      CLAIM_H(state[u] == 0 || counts[u] == COUNTS(census, 0) ||
              ((census & CORRUPTED) && counts[u] == COUNTS(census, 1) &&
               counts[u] == counts[some]));
      CLAIM_J((before == 0 && state[u] == 0) ||
              (before != 0 && state[u] == start[before]) ||
              (before != 0 && AFTER(ROUND(state[u]), before) &&
               (!FORGED(state[u]) || (list[before] & CORRUPTED))))
    :: else
    fi
  }
#ifdef REACH
  assert(REACH != 1 || start[k] == 0 || CENSUS(ROUND(start[k])));
  assert(REACH != 2 || (list[k] & returned) == 0 ||
         CENSUS(ROUND(start[k])));
  assert(REACH != 3 || before == 0 || start[before] != start[k])
#endif
}

// ---------------------------------------------------------------------------
// The coordinator.

// Finds the first survivor that compares questions, and whether one of them
// refuses.
inline Compare() {
  refused = SIZE(survivors) < T(survivors);
  some = N;
  for (u : 0 .. SITES - 1) {
    if
    :: HAS(survivors, u) && COMPARED(u) ->
      if :: some == N -> some = u :: else fi;
      if :: !ALIKE(state[u], state[some]) -> refused = 1 :: else fi
    :: else
    fi
  }
  if :: some == N -> refused = 1 :: else fi
}

// Makes a sum over `survivors`, who all send their vectors and of whom t
// confirm. The sites in `willing` are asked to reveal, and do.
inline Sum() {
  Compare();
  if :: !refused -> key = KEY(state[some]) :: else fi;
  for (u : 0 .. SITES - 1) {
    if
    :: !refused && HAS(willing, u) && !MAY_REVEAL(u, key, survivors) ->
      refused = 1
    :: else
    fi
  }
  if
  :: !refused ->
    printf("sum %d, of sites that start from %d: survivors %d, revealed %d\n",
           rounds + 1, state[some], survivors, willing);
    rounds++;
    k = rounds;
    start[k] = state[some];
    list[k] = survivors;
    counted[k] = (start[k] == 0 -> COUNTS(survivors, 0) : counts[some]);
    if
    :: SIZE(willing | (survivors & CORRUPTED)) >= T(survivors) ->
      Judge();
      readable[k] = 1
    :: else
    fi;
    for (u : 0 .. SITES - 1) {
      if :: HAS(survivors, u) -> last[u] = k :: else fi;
      if
      :: HAS(willing, u) ->
        revealed_key[u] = key;
        revealed_list[u] = survivors
      :: else
      fi
    }
  :: else
  fi
}

// Shows site `who` that the sum of round `which` came about. To show nothing,
// or that a sum was lost, would not change the site's state.
inline Tell() {
  if
  :: (forged || readable[which]) &&
     (!CHECKS(who, which) || PASSES(which, forged)) ->
    printf("site %d: sum %d, forged %d\n", who, which, forged);
    counts[who] =
        (CENSUS(which) -> COUNTS(list[which], forged) : counted[which]);
    if :: lie -> counts[who] = FALSE_COUNTS :: else fi;
#ifdef WATCH_RETURNED
    if
    :: CHECKS(who, which) -> returned = returned & ~BIT(who)
    :: else -> returned = returned | BIT(who)
    fi;
#endif
    state[who] = 2 * which + forged
  :: else
  fi
}

// Sites are interchangeable: the survivors of the first sum are the first
// sites, and the first of these reveal in it.
#define FIRST(set) (rounds || ((set) & ((set) + 1)) == 0)

active proctype Coordinator() {
end:
  do
  :: atomic {
      rounds < ROUNDS ->
      select(survivors : 1 .. ALL);
      skip;
      d_step { Compare(); skip };
      if
      :: !refused && FIRST(survivors & ~CORRUPTED) ->
        select(willing : 0 .. BIT(SITES) - 1);
        if
        :: SUBSET(willing, survivors) && FIRST(willing) ->
          d_step { Sum(); refused = 0 }
        :: else
        fi
      :: else
      fi;
      refused = 0
    }
  :: atomic {
      rounds > 0 ->
      select(who : 0 .. SITES - 1);
      select(which : 1 .. rounds);
      if
      :: RECENT(who, which) ->
        select(forged : 0 .. 1);
        lie = 0;
        if :: TOLD_COUNTS(who, which) -> lie = 1 :: true fi;
        d_step { Tell(); skip }
      :: else
      fi
    }
#ifdef MUTATION_NO_SIGNATURES
  // A state that follows from no sum.
  :: atomic { select(who : 0 .. SITES - 1); state[who] = MADE_UP }
#endif
#if defined(MUTATION_FORGETS_REVEALED) || defined(MUTATION_FORGETS_LAST)
  :: atomic {
      select(who : 0 .. SITES - 1);
      printf("site %d restarts\n", who);
#ifdef MUTATION_FORGETS_REVEALED
      revealed_key[who] = 0;
      revealed_list[who] = 0
#else
      last[who] = 0
#endif
    }
#endif
  od
}
