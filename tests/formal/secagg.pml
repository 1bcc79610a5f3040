// SPDX-License-Identifier: Apache-2.0
// One round of secure aggregation, for spin. README.md says what is modelled,
// what is left out and what was found; run.sh checks all of it.
//
//   -DN=n                sites, 3 or 4 (up to 6 for a search that need not end)
//   -DCORRUPT=c          the last c of them work for the server (0)
//   -DMINIMUM_ROSTER=m   the smallest roster that a client accepts (3)
//   -DHONEST             an honest server and sites that fail, instead of an
//                        active server and sites that do not
//   -DCHECKED=p          properties: a 1, b 2, c 4, e 8, f 16 (31)
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
#define CHECKED 31
#endif
#define CLAIM_A(claim) assert(!(CHECKED & 1) || (claim))
#define CLAIM_B(claim) assert(!(CHECKED & 2) || (claim))
#define CLAIM_C(claim) assert(!(CHECKED & 4) || (claim))
#define CLAIM_E(claim) assert(!(CHECKED & 8) || (claim))
#define CLAIM_F(claim) assert(!(CHECKED & 16) || (claim))

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

// Sites 0 ... SITES - 1 keep to the protocol. The choice loses nothing: no step
// depends on a site's number.
#define SITES (N - CORRUPT)
#define CORRUPTED (ALL & ~(BIT(SITES) - 1))

// The fewest sites of any sum: t of n = 3 and of n = 4.
#define FEWEST 3

#ifdef MUTATION_HALF_THRESHOLD
#define T(n) ((n) / 2)
#else
#define T(n) (2 * (n) / 3 + 1)
#endif

// The smallest roster that a client accepts. The server must not choose this
// number, and 2 T(MINIMUM_ROSTER) > N + CORRUPT.
#ifndef MINIMUM_ROSTER
#define MINIMUM_ROSTER 3
#endif

// A site's phase is named after the last message that it sent.
#define AdvertiseKeys 0
#define ShareKeys 1
#define MaskedInput 2
#define Confirm 3
#define Unmask 4

byte phase[N];
byte roster[N];  // U1 as the site was shown it
byte u2[N];      // the senders of the sealed shares that it was given
byte u3[N];      // the survivors that it confirmed
byte claim[N];   // sites of which it was shown another vector than they sent
byte asked;      // sites that are asked one question; the rest another
byte answered;   // sites whose vectors answer it, whatever was asked since
byte revealed;   // sites that revealed in any session: on their disks
byte b_shares[N];  // who revealed a share of this site's self-mask seed
byte s_shares[N];  // who revealed a share of this site's mask key

byte session = 1;  // the server may start the round again, with fresh keys
byte unmasked;     // the session in which a sum could first be unmasked
byte accepted;     // the session in which a site could first accept one

// Scratch, zero between steps.
byte v, w, first, known_b, known_s, live, whole, again, group;

mtype = { Roster, Inbox, Survivors, Signatures, Finished };

#ifdef HONEST
chan to[N] = [2] of { mtype, byte };
chan uplink = [N] of { byte, byte };  // a phase and its sender
byte mortal;  // sites that may fail or be late; the others stay to the end
#define ANSWER(u) uplink!phase[u],u
#define REFUSE assert(false)
#define CLAIMED 0
#else
// The server reads the sites' messages from the variables above.
chan to[N] = [0] of { mtype, byte };
#define ANSWER(u) skip
#define REFUSE skip
hidden byte falsified;  // chosen and used within one step
#define CLAIMED falsified
#endif

// Whether two sites were asked the same question.
#define ALIKE(u, v) (HAS(asked, u) == HAS(asked, v))

// Prints a message that a site was sent and accepted.
#define SAY(u, kind, set)                                          \
  printf("site %d: %e %d%d%d%d%d%d\n", u, kind, HAS(set, 0),       \
         HAS(set, 1), HAS(set, 2), HAS(set, 3), HAS(set, 4), HAS(set, 5))

// ---------------------------------------------------------------------------
// The client. A refused message does not change its state.

// The site's keys sign its question.
#ifdef MUTATION_QUESTION_UNSIGNED
#define ASKED_AS(u, m) true
#else
#define ASKED_AS(u, m) \
  ((HAS(asked, u) -> SUBSET(m & ~CORRUPTED, asked) : (m & asked) == 0))
#endif
#define ROSTER_HOLDS(u, m)                                         \
  (phase[u] == AdvertiseKeys && !HAS(revealed, u) && HAS(m, u) && \
   SIZE(m) >= MINIMUM_ROSTER && ASKED_AS(u, m))

// v sealed a share for u, and u can open it. The server's own sites send
// anything.
#ifdef MUTATION_SHARES_UNBOUND
#define BOUND(u, v) HAS(roster[v], u)
#elif defined(MUTATION_QUESTION_UNMASKED)
#define BOUND(u, v) (roster[v] == roster[u])
#else
#define BOUND(u, v) (roster[v] == roster[u] && ALIKE(u, v))
#endif
#define OPENS(u, v) (phase[v] >= ShareKeys && BOUND(u, v))
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

// v signed the same words as u.
#ifdef MUTATION_CLAIMS_UNCONFIRMED
#define SAME_CLAIM(u, v) true
#else
#define SAME_CLAIM(u, v) (claim[v] == claim[u])
#endif
#ifdef MUTATION_QUESTION_UNSIGNED
#define SAME_QUESTION(u, v) true
#else
#define SAME_QUESTION(u, v) ALIKE(u, v)
#endif
#ifdef MUTATION_SIGNATURES_UNBOUND
#define SAME(u, v) (u3[v] == u3[u] && SAME_CLAIM(u, v))
#else
#define SAME(u, v)                                                     \
  (roster[v] == roster[u] && u2[v] == u2[u] && u3[v] == u3[u] &&       \
   SAME_QUESTION(u, v) && SAME_CLAIM(u, v))
#endif
#define SIGNED(u, v) (HAS(roster[u], v) && phase[v] >= Confirm && SAME(u, v))

// The sites whose mask keys stay secret when u unmasks.
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

#include "secagg_judge.pml"

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
        claim[u] = CLAIMED;
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
            // All sites that reveal in a session reveal for one list.
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

#include "secagg_servers.pml"
