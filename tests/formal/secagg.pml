// SPDX-License-Identifier: Apache-2.0
// One round of secure aggregation, for spin. README.md says what is modelled,
// what is left out and what came of it; run.sh checks all of it.
//
//   -DN=n                sites, 3 or 4 (up to 6 for a search that need not end)
//   -DCORRUPT=c          the last c of them work for the server (0)
//   -DMINIMUM_ROSTER=m   what a client demands of any roster (3)
//   -DHONEST             an honest server and sites that fail, in place of an
//                        active server and sites that do not
//   -DCHECKED=p          properties: a 1, b 2, c 4 (7)
//   -DMUTATION_x         a mistake, which must show as an error
//
// Sets of sites are bit masks. Source: Bonawitz et al. 2017 (ePrint 2017/281),
// figure 4, with the steps against an active server.

#ifndef N
#define N 4
#endif
#ifndef CORRUPT
#define CORRUPT 0
#endif
#ifndef CHECKED
#define CHECKED 7
#endif
#define CLAIM_A(claim) assert(!(CHECKED & 1) || (claim))
#define CLAIM_B(claim) assert(!(CHECKED & 2) || (claim))
#define CLAIM_C(claim) assert(!(CHECKED & 4) || (claim))

#define BIT(u) (1 << (u))
#define HAS(set, u) (((set) >> (u)) & 1)
#define SUBSET(part, whole) (((part) & ~(whole)) == 0)
#define SIZE_OF_4(set) \
  (HAS(set, 0) + HAS(set, 1) + HAS(set, 2) + HAS(set, 3))
#if N <= 4
#define SIZE(set) SIZE_OF_4(set)
#else
#define SIZE(set) (SIZE_OF_4(set) + HAS(set, 4) + HAS(set, 5))
#endif
#define ALL (BIT(N) - 1)

// Sites 0 ... SITES - 1 keep to the protocol. It may as well be the first: no
// step depends on a site's number.
#define SITES (N - CORRUPT)
#define CORRUPTED (ALL & ~(BIT(SITES) - 1))

// No sum of fewer sites: t of n = 3 and of n = 4.
#define FEWEST 3

#ifdef MUTATION_HALF_THRESHOLD
#define T(n) ((n) / 2)
#else
#define T(n) (2 * (n) / 3 + 1)
#endif

// A client takes no smaller roster. It must not be the server that says this
// number, and 2 T(MINIMUM_ROSTER) > N + CORRUPT.
#ifndef MINIMUM_ROSTER
#define MINIMUM_ROSTER 3
#endif

// A site's phase is named after what it sent last.
#define AdvertiseKeys 0
#define ShareKeys 1
#define MaskedInput 2
#define Confirm 3
#define Unmask 4

byte phase[N];
byte roster[N];  // U1 as it was shown to the site
byte u2[N];      // whose sealed shares it was given
byte u3[N];      // the survivors that it confirmed
byte revealed;   // who has revealed in this round, in any session: on its disk
byte b_shares[N];  // who revealed a share of this site's self-mask seed
byte s_shares[N];  // who revealed a share of this site's mask key

byte session = 1;  // the server may start the round again, with fresh keys
byte unmasked;     // the session in which a sum could first be unmasked

// Scratch, zero between steps.
byte v, w, first, known_b, known_s, live, whole, again;

mtype = { Roster, Inbox, Survivors, Signatures, Finished };

#ifdef HONEST
chan to[N] = [2] of { mtype, byte };
chan uplink = [N] of { byte, byte };  // a phase and who sends it
byte mortal;  // sites that may fail or be late; the others stay to the end
#define ANSWER(u) uplink!phase[u],u
#define REFUSE assert(false)
#else
// What sites send lies in the variables above, which the server can read.
chan to[N] = [0] of { mtype, byte };
#define ANSWER(u) skip
#define REFUSE skip
#endif

// What a site was sent, and took.
#define SAY(u, kind, set)                                          \
  printf("site %d: %e %d%d%d%d%d%d\n", u, kind, HAS(set, 0),       \
         HAS(set, 1), HAS(set, 2), HAS(set, 3), HAS(set, 4), HAS(set, 5))

// ---------------------------------------------------------------------------
// What the server can work out of all that it was sent, and the properties.

// The mask between v and w is in v's input, and the server does not know it.
#define HIDDEN(v, w) \
  (w != v && HAS(u2[v], w) && !HAS(known_s, v) && !HAS(known_s, w))

// What the server knows of a secret that v shared: what sites revealed, and
// what its own sites were sent.
#define KNOWN(shares, v)    \
  (phase[v] >= ShareKeys && \
   SIZE(shares[v] | (roster[v] & CORRUPTED)) >= T(SIZE(roster[v])))

// A combination sum_v c_v y_v of masked inputs shows nothing but x's exactly if
// each mask that the server does not know cancels in it:
//   c_v = 0 where it does not know b_v;
//   c_v = 0 where y_v hides a mask with w and y_w does not have it;
//   c_v = c_w where both have it.
// So the sums that it can unmask are the connected parts of what remains after
// the first two rules; `live` is their union and `whole` one of them.
inline Judge() {
  d_step {
    known_s = CORRUPTED;
    for (v : 0 .. SITES - 1) {
      if :: KNOWN(s_shares, v) -> known_s = known_s | BIT(v) :: else fi;
      if :: KNOWN(b_shares, v) -> known_b = known_b | BIT(v) :: else fi;
      if
      :: HAS(known_b, v) && phase[v] >= MaskedInput -> live = live | BIT(v)
      :: else
      fi;
      CLAIM_A((b_shares[v] & s_shares[v]) == 0)
    }
    CLAIM_A((known_b & known_s) == 0);

    again = live;
    do
    :: again ->
      again = 0;
      for (v : 0 .. SITES - 1) {
        for (w : 0 .. SITES - 1) {
          if
          :: HAS(live, v) && HIDDEN(v, w) &&
             !(HAS(live, w) && HAS(u2[w], v)) ->
            live = live & ~BIT(v);
            again = 1
          :: else
          fi
        }
      }
    :: else -> break
    od;

    if
    :: live ->
      do :: !HAS(live, first) -> first++ :: else -> break od;
      whole = BIT(first);
      again = 1;
      do
      :: again ->
        again = 0;
        for (v : 0 .. SITES - 1) {
          for (w : 0 .. SITES - 1) {
            if
            :: HAS(live & ~whole, v) && HAS(whole, w) && HIDDEN(v, w) ->
              whole = whole | BIT(v);
              again = 1
            :: else
            fi
          }
        }
      :: else -> break
      od;
      CLAIM_C(whole == live);
      CLAIM_C(unmasked == 0 || unmasked == session);
      unmasked = session;
      // Masks with the server's own sites hide nothing, so that a site need
      // not agree with the others on those.
      for (v : 0 .. SITES - 1) {
        CLAIM_B(!HAS(live, v) ||
                (roster[v] == roster[first] &&
                 ((u2[v] ^ u2[first]) & ~CORRUPTED) == 0));
        CLAIM_B(phase[v] != Unmask ||
                (SIZE(u3[v]) >= FEWEST && (u3[v] & ~CORRUPTED) == live))
      }
    :: else
    fi;
#ifdef MUTATION_NO_SUM_IN_SESSION
    assert(live == 0 || session != MUTATION_NO_SUM_IN_SESSION);
#endif
    v = 0; w = 0; first = 0; known_b = 0; known_s = 0;
    live = 0; whole = 0; again = 0
  }
}

// ---------------------------------------------------------------------------
// The client. What it refuses leaves it as it was.

#define ROSTER_HOLDS(u, m)                                         \
  (phase[u] == AdvertiseKeys && !HAS(revealed, u) && HAS(m, u) && \
   SIZE(m) >= MINIMUM_ROSTER)

// v sealed a share for u, and it opens. The server's own sites send anything.
#ifdef MUTATION_SHARES_UNBOUND
#define OPENS(u, v) (phase[v] >= ShareKeys && HAS(roster[v], u))
#else
#define OPENS(u, v) (phase[v] >= ShareKeys && roster[v] == roster[u])
#endif
#define INBOX_HOLDS(u, m)                                        \
  (phase[u] == ShareKeys && HAS(m, u) && SUBSET(m, roster[u]) && \
   SIZE(m) >= T(SIZE(roster[u])))

#ifdef MUTATION_NO_SURVIVOR_MINIMUM
#define ENOUGH(u, m) true
#else
#define ENOUGH(u, m) (SIZE(m) >= T(SIZE(roster[u])))
#endif
#ifdef MUTATION_CONFIRM_TWICE
#define MAY_CONFIRM(u) (phase[u] >= MaskedInput)
#else
#define MAY_CONFIRM(u) (phase[u] == MaskedInput)
#endif
#define SURVIVORS_HOLD(u, m) \
  (MAY_CONFIRM(u) && HAS(m, u) && SUBSET(m, u2[u]) && ENOUGH(u, m))

// v's signature is over the very words that u signed.
#ifdef MUTATION_SIGNATURES_UNBOUND
#define SAME(u, v) (u3[v] == u3[u])
#else
#define SAME(u, v) \
  (roster[v] == roster[u] && u2[v] == u2[u] && u3[v] == u3[u])
#endif
#define SIGNED(u, v) (HAS(roster[u], v) && phase[v] >= Confirm && SAME(u, v))

// Whose mask keys stay closed when u unmasks.
#ifdef MUTATION_REVEAL_BOTH
#define SPARED(u) 0
#else
#define SPARED(u) u3[u]
#endif

#ifdef MUTATION_NO_QUORUM
#define QUORUM(u, m) true
#else
#define QUORUM(u, m) (SIZE(m) >= T(SIZE(roster[u])))
#endif

proctype SecAggClient(byte u) {
  byte m;
#ifdef HONEST
  ANSWER(u);
#else
end:
#endif
  do
  :: atomic {
      to[u]?Roster,m ->
      if
      :: ROSTER_HOLDS(u, m) ->
        SAY(u, Roster, m);
        roster[u] = m;
        phase[u] = ShareKeys;
        ANSWER(u)
      :: else -> REFUSE
      fi;
      m = 0
    }
  :: atomic {
      to[u]?Inbox,m ->
      d_step {
        for (v : 0 .. SITES - 1) {
          if :: HAS(m, v) && !OPENS(u, v) -> m = 0 :: else fi
        }
        v = 0
      };
      if
      :: INBOX_HOLDS(u, m) ->
        SAY(u, Inbox, m);
        u2[u] = m;
        phase[u] = MaskedInput;
        Judge();
        ANSWER(u)
      :: else -> REFUSE
      fi;
      m = 0
    }
  :: atomic {
      to[u]?Survivors,m ->
      if
      :: SURVIVORS_HOLD(u, m) ->
        SAY(u, Survivors, m);
        u3[u] = m;
        phase[u] = Confirm;
        ANSWER(u)
      :: else -> REFUSE
      fi;
      m = 0
    }
  :: atomic {
      to[u]?Signatures,m ->
      d_step {
        m = roster[u] & CORRUPTED;
        for (v : 0 .. SITES - 1) {
          if :: SIGNED(u, v) -> m = m | BIT(v) :: else fi
        }
        v = 0
      };
      if
      :: phase[u] == Confirm && QUORUM(u, m) ->
        SAY(u, Signatures, u3[u]);
        d_step {
          phase[u] = Unmask;
          for (v : 0 .. SITES - 1) {
            if
            :: HAS(u3[u], v) -> b_shares[v] = b_shares[v] | BIT(u)
            :: else
            fi;
            if
            :: HAS(u2[u] & ~SPARED(u), v) ->
              s_shares[v] = s_shares[v] | BIT(u)
            :: else
            fi;
            // Who reveals in a session, reveals for one list.
            CLAIM_C(phase[v] != Unmask || SAME(u, v))
          }
          v = 0;
          revealed = revealed | BIT(u)
        };
        Judge();
        ANSWER(u)
      :: else -> REFUSE
      fi;
      m = 0
    }
#ifdef HONEST
  :: to[u]?Finished,_ -> break
  :: HAS(mortal, u) -> break
#endif
  od
}

#ifndef HONEST
// ---------------------------------------------------------------------------
// The active server says anything to anyone, save what a client refuses for its
// phase alone, whatever the content. It knows every message; that sites fail is
// that it never turns to them again.

hidden byte who, what;  // chosen and used within one step

active proctype ActiveServer() {
  atomic {
    for (v : 0 .. SITES - 1) { run SecAggClient(v) }
    v = 0
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
        select(what : 1 .. ALL); to[who]!Survivors,what
      :: phase[who] == Confirm -> to[who]!Signatures,0
      :: else
      fi
    }
  // Another attempt at the same round. Where nobody has revealed it is as the
  // first: sites forget the keys of an attempt with the next one's.
  :: d_step {
      session == 1 && revealed ->
      printf("new session\n");
      session = 2;
      for (v : 0 .. SITES - 1) {
        phase[v] = AdvertiseKeys; roster[v] = 0; u2[v] = 0; u3[v] = 0;
        b_shares[v] = 0; s_shares[v] = 0
      }
      v = 0;
#ifdef MUTATION_FORGETFUL_RESTART
      revealed = 0
#endif
    }
  od
}

#else
// ---------------------------------------------------------------------------
// The honest server. A phase's deadline may be over, or not yet, once none is
// awaited but sites that may be late.

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

// Who of `set` was in time.
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
    // Which sites is all the same, again. One stays: with none there is nobody
    // left who could wait, and the deadline is always over.
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
