// SPDX-License-Identifier: Apache-2.0
// Keys of a secure sum that two parties derive alike: HKDF-SHA-256 with the
// study's hash as salt and a Statement as info. `roster_hash` binds them to
// the keys that everybody was shown.
#ifndef HILUM_COMMON_SECAGG_DERIVE_H_
#define HILUM_COMMON_SECAGG_DERIVE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/secret.h"
#include "common/crypto/x25519.h"
#include "common/secagg/context.h"
#include "common/secagg/mask.h"

namespace hilum {

// Seed of the mask that sites `a` and `b` share; `key` is the mask key of one
// of them, `other_public` that of the other. INVALID_ARGUMENT: as
// X25519KeyPair::Agree.
absl::StatusOr<SecretBytes> PairwiseMaskSeed(const SecAggContext& context,
                                             absl::string_view roster_hash,
                                             const X25519KeyPair& key,
                                             absl::string_view other_public,
                                             const SiteId& a, const SiteId& b);

// With which sign `site` adds the mask it shares with `other`.
MaskSign PairwiseSign(const SiteId& site, const SiteId& other);
MaskSign Inverse(MaskSign sign);

// Seed of the own mask, from what is shared of it (32 bytes).
SecretBytes SelfMaskSeed(const SecAggContext& context,
                         const SecretBytes& secret);

// Key under which `sender` seals one message for `recipient`; used once, so
// its nonce may be zero.
absl::StatusOr<SecretBytes> SealingKey(const SecAggContext& context,
                                       absl::string_view roster_hash,
                                       const X25519KeyPair& key,
                                       absl::string_view other_public,
                                       const SiteId& sender,
                                       const SiteId& recipient);

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_DERIVE_H_
