// SPDX-License-Identifier: Apache-2.0
// Keys of a secure sum that two parties derive in the same way: HKDF-SHA-256
// with the study's hash as salt and a Statement as info. `roster_hash` binds
// them to the keys that all sites were shown.
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

// Returns the seed of the mask that sites `a` and `b` share; `key` is the mask
// key of one of them, `other_public` the public mask key of the other.
// INVALID_ARGUMENT: see X25519KeyPair::Agree.
absl::StatusOr<SecretBytes> PairwiseMaskSeed(const SecAggContext& context,
                                             absl::string_view roster_hash,
                                             const X25519KeyPair& key,
                                             absl::string_view other_public,
                                             const SiteId& a, const SiteId& b);

// Returns the sign with which `site` adds the mask it shares with `other`.
MaskSign PairwiseSign(const SiteId& site, const SiteId& other);
MaskSign Inverse(MaskSign sign);

// Returns the seed of a site's own mask, from its shared secret (32 bytes).
SecretBytes SelfMaskSeed(const SecAggContext& context,
                         const SecretBytes& secret);

// Returns the key under which `sender` seals one message for `recipient`; used
// once, so its nonce may be zero.
absl::StatusOr<SecretBytes> SealingKey(const SecAggContext& context,
                                       absl::string_view roster_hash,
                                       const X25519KeyPair& key,
                                       absl::string_view other_public,
                                       const SiteId& sender,
                                       const SiteId& recipient);

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_DERIVE_H_
