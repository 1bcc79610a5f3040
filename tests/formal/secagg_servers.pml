// SPDX-License-Identifier: Apache-2.0
// Part of secagg.pml: the servers. A search uses one of them.

#ifndef HONEST
// ---------------------------------------------------------------------------
// The active server sends any message to any site, except a message that a
// client refuses because of its phase alone, whatever its content. It knows
// every message. A site fails if the server never turns to it again.

hidden byte who, what;  // chosen and used within one step

// The claims that the server can falsify: those of its own sites, which sign
// two. An honest site signs the digest of its vector and the commitment to its
// own mask's seed.
#if defined(MUTATION_DIGEST_UNSIGNED) || defined(MUTATION_COMMITMENT_UNSIGNED)
#define FALSIFIABLE ALL
#else
#define FALSIFIABLE CORRUPTED
#endif

// When the server may start the round again. See below.
#ifdef MUTATION_ASKED_AGAIN
#define MAY_RESTART true
#else
#define MAY_RESTART revealed
#endif

active proctype ActiveServer() {
  atomic {
    for (v : 0 .. SITES - 1) { run SecAggClient(v) }
    v = 0;
    // The two questions are interchangeable: the last site is always asked the
    // other.
    select(asked : 0 .. BIT(SITES - 1) - 1);
    answered = asked
  }
end:
  do
  :: atomic {
      select(who : 0 .. SITES - 1);
      if
      :: phase[who] == AdvertiseKeys ->
        select(what : 1 .. ALL); to[who]!Roster,what
      :: phase[who] == ShareKeys ->
        select(what : 1 .. ALL); to[who]!Inbox,what
      :: MAY_CONFIRM(who) ->
        select(what : 1 .. ALL);
        select(falsified : 0 .. FALSIFIABLE);
        if
        :: SUBSET(falsified, what & FALSIFIABLE) -> to[who]!Survivors,what
        :: else
        fi
      :: phase[who] == Confirm -> to[who]!Signatures,0
      :: else
      fi
    }
  // Another attempt at the same round. It is like the first if no site has
  // revealed: sites forget the keys of an attempt when they make the next keys.
  // A site writes its question of a round to disk before it makes keys.
  :: atomic {
      session == 1 && MAY_RESTART ->
      printf("new session\n");
      d_step {
        session = 2;
        for (v : 0 .. SITES - 1) {
          phase[v] = AdvertiseKeys; roster[v] = 0; u2[v] = 0; u3[v] = 0;
          claim[v] = 0; b_shares[v] = 0; s_shares[v] = 0
        }
        v = 0
      };
#ifdef MUTATION_ASKED_AGAIN
      select(asked : 0 .. BIT(SITES) - 1);
#endif
#ifdef MUTATION_FORGETFUL_RESTART
      revealed = 0
#endif
    }
  od
}

#else
// ---------------------------------------------------------------------------
// The honest server. The deadline of a phase may pass at any time once the
// server waits only for sites that may be late.

inline Send(kind, set, content) {
  atomic {
    for (x : 0 .. N - 1) {
      if :: HAS(set, x) -> to[x]!kind,content :: else fi
    }
    x = 0
  }
}

#ifdef MUTATION_NO_DEADLINE
#define DEADLINE(waiting) false
#else
#define DEADLINE(waiting) ((waiting & ~mortal) == 0)
#endif

// Collects the sites of `set` that were in time.
inline Collect(step, set, in_time) {
  in_time = 0;
  do
  :: atomic {
      uplink?p,x ->
      if
      :: p == step && HAS(set, x) -> in_time = in_time | BIT(x)
      :: else  // late
      fi;
      p = 0; x = 0
    }
  :: (set & ~in_time) == 0 || DEADLINE(set & ~in_time) -> break
  od
}

active proctype SecAggServer() {
  byte p, x, n, keys, shares, inputs, signers, revealers;
  bool sum;
  atomic {
    // The choice of sites loses nothing, as above. One site stays: without it
    // nobody is left who could wait, and the deadline would always have passed.
    select(x : 1 .. N);
    mortal = ALL & ~(BIT(x) - 1);
    for (x : 0 .. N - 1) { run SecAggClient(x) }
    x = 0
  }
  Collect(AdvertiseKeys, ALL, keys);
  if :: SIZE(keys) < MINIMUM_ROSTER -> goto over :: else fi;
  n = SIZE(keys);
  Send(Roster, keys, keys);
  Collect(ShareKeys, keys, shares);
  if :: SIZE(shares) < T(n) -> goto over :: else fi;
  Send(Inbox, shares, shares);
  Collect(MaskedInput, shares, inputs);
  if :: SIZE(inputs) < T(n) -> goto over :: else fi;
  Send(Survivors, inputs, inputs);
  Collect(Confirm, inputs, signers);
#ifdef MUTATION_ALL_MUST_CONFIRM
  if :: signers != inputs -> goto over :: else fi;
#endif
  if :: SIZE(signers) < T(n) -> goto over :: else fi;
  Send(Signatures, signers, 0);
  Collect(Unmask, signers, revealers);
  sum = SIZE(revealers) >= T(n);
over:
  assert(sum || SIZE(ALL & ~mortal) < FEWEST);
  assert(!sum || (unmasked && SIZE(inputs) >= FEWEST));
#ifdef MUTATION_SILENT_ABORT
  if :: !sum -> goto gone :: else fi;
#endif
  Send(Finished, ALL, sum);
#ifdef MUTATION_SILENT_ABORT
gone:
#endif
  skip
}
#endif
