// SPDX-License-Identifier: Apache-2.0
// Part of secagg.pml: what the server can compute from all messages that it
// received, which sums it can make sites accept, and the properties.

// The mask between v and w is in v's input, and the server does not know it.
#define HIDDEN(v, w) \
  (w != v && HAS(u2[v], w) && !HAS(known_s, v) && !HAS(known_s, w))

// The same mask between v and w is also in w's input.
#ifdef MUTATION_QUESTION_UNMASKED
#define CANCELS(v, w) HAS(u2[w], v)
#else
#define CANCELS(v, w) (HAS(u2[w], v) && ALIKE(v, w))
#endif

// Whether the server knows a secret that v shared, from revealed shares and
// from the shares that its own sites were sent.
#define KNOWN(shares, v)    \
  (phase[v] >= ShareKeys && \
   SIZE(shares[v] | (roster[v] & CORRUPTED)) >= T(SIZE(roster[v])))

// The sites whose own masks the server can make up.
#ifdef MUTATION_COMMITMENT_UNSIGNED
#define MADE_UP(v) claim[v]
#else
#define MADE_UP(v) 0
#endif

// w signed the roster and the senders of its shares with its vector, and v has
// the same of both.
#ifdef MUTATION_SHARERS_UNSIGNED
#define FITS(v, w) (phase[w] >= MaskedInput && roster[w] == roster[v])
#else
#define FITS(v, w) \
  (phase[w] >= MaskedInput && roster[w] == roster[v] && u2[w] == u2[v])
#endif

// Opens to sites the sum of the list that v confirmed, if the server can. It
// needs t signatures over the list and the claims, vectors that fit, own masks
// that match their commitments, and the mask keys of the lost sites.
inline Open(v) {
  if
  :: phase[v] >= Confirm ->
    group = roster[v] & CORRUPTED;
    for (w : 0 .. SITES - 1) {
      if :: SIGNED(v, w) -> group = group | BIT(w) :: else fi;
      if :: HAS(u3[v], w) && !FITS(v, w) -> again = 1 :: else fi
    }
    if
    :: !again && QUORUM(v, group) &&
       SUBSET(u3[v] & ~CORRUPTED, known_b | MADE_UP(v)) &&
       SUBSET(u2[v] & ~u3[v], known_s) ->
      CLAIM_F((claim[v] & ~CORRUPTED) == 0);
      CLAIM_F((u3[v] & ~CORRUPTED) == live);
      CLAIM_F(accepted == 0 || accepted == session);
      accepted = session;
      for (w : 0 .. SITES - 1) {
        CLAIM_F(!HAS(group, w) || claim[w] == claim[v])
      }
    :: else
    fi;
    again = 0
  :: else
  fi
}

// A combination sum_v c_v y_v of masked inputs depends on the x's alone exactly
// if each mask that the server does not know cancels in it:
//   c_v = 0 where it does not know b_v;
//   c_v = 0 where y_v hides a mask with w and y_w does not have it;
//   c_v = c_w where both have it.
// So the sums that it can unmask are the connected components of what remains
// after the first two rules; `live` is their union and `whole` is one of them.
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
             !(HAS(live, w) && CANCELS(v, w)) ->
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
      CLAIM_E((live & asked) == 0 || SUBSET(live, asked));
      CLAIM_E((live & asked) == (live & answered));
      // Masks with the server's own sites hide nothing, so the sites need not
      // agree on these masks.
      for (v : 0 .. SITES - 1) {
        CLAIM_B(!HAS(live, v) ||
                (roster[v] == roster[first] &&
                 ((u2[v] ^ u2[first]) & ~CORRUPTED) == 0));
        CLAIM_B(phase[v] != Unmask ||
                (SIZE(u3[v]) >= FEWEST && (u3[v] & ~CORRUPTED) == live))
      }
    :: else
    fi;
    for (v : 0 .. SITES - 1) { Open(v) }
#ifdef MUTATION_NO_SUM_IN_SESSION
    assert(live == 0 || session != MUTATION_NO_SUM_IN_SESSION);
#endif
    v = 0; w = 0; first = 0; known_b = 0; known_s = 0;
    live = 0; whole = 0; again = 0; group = 0
  }
}
