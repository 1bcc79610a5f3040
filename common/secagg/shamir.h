// SPDX-License-Identifier: Apache-2.0
// Splits a 32-byte secret among n, so that any t shares recover it and fewer
// reveal nothing, to any amount of computing.
//
// The secret is cut into five limbs of 7, 7, 7, 7 and 4 bytes, little-endian.
// Each limb a_0 has its own polynomial
//   f(X) = a_0 + a_1 X + ... + a_{t-1} X^{t-1}  over GF(p), p = 2^61 - 1,
// with a_1 ... a_{t-1} drawn uniformly; the share of x is f(x), x = 1 ... n. A
// limb is below p whatever its bits, so every 32-byte secret can be shared.
// Lagrange's interpolation at zero recovers it:
//   a_0 = sum_i y_i prod_{j != i} x_j / (x_j - x_i).
// No branch and no index depends on a secret, a coefficient or a share's y; t,
// n and x are public.
//
// Shares carry no proof. Too few shares, or shares of different secrets, give a
// wrong result. Most accidents show because a limb is too long (all but 2^-49),
// but a forger of a share can move the secret at will. Shares therefore travel
// authenticated, and the recovered secret is checked against the value it must
// open.
// Source: Shamir 1979, "How to share a secret"; Bonawitz et al. 2017 (ePrint
// 2017/281), section 3.1.
#ifndef HILUM_COMMON_SECAGG_SHAMIR_H_
#define HILUM_COMMON_SECAGG_SHAMIR_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/crypto/secret.h"
#include "common/crypto/secure_rng.h"

namespace hilum {

inline constexpr size_t kSharedSecretSize = 32;
inline constexpr size_t kShareSize = 40;  // five little-endian 64-bit numbers
inline constexpr int kMaxShares = 1000;

struct Share {
  uint32_t x = 0;  // its holder; 1 ... num_shares
  SecretBytes y;   // kShareSize bytes, each number below p
};

// Returns the shares of x = 1 ... num_shares, in this order. INVALID_ARGUMENT:
// the secret does not have 32 bytes, or not 1 <= threshold <= num_shares <=
// kMaxShares.
absl::StatusOr<std::vector<Share>> SplitSecret(const SecretBytes& secret32,
                                               int threshold, int num_shares,
                                               SecureRng& rng);

// Returns the secret, from the first `threshold` of `shares`. INVALID_ARGUMENT:
// fewer than threshold, threshold < 1 or > kMaxShares, an x that is zero or
// comes twice, a y of another size or with a number that is not below p (in any
// of the shares), or shares that do not belong together, as far as that is
// detectable.
absl::StatusOr<SecretBytes> CombineShares(absl::Span<const Share* const> shares,
                                          int threshold);
absl::StatusOr<SecretBytes> CombineShares(absl::Span<const Share> shares,
                                          int threshold);

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_SHAMIR_H_
