// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/derive.h"

#include <algorithm>

#include "common/base/status_macros.h"
#include "common/crypto/aes_gcm.h"
#include "common/crypto/hkdf.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

// HKDF limits its info, so the info is a hash of the statement.
SecretBytes Derive(const SecAggContext& context, const SecretBytes& secret,
                   const std::string& statement, size_t size) {
  return HkdfSha256(secret, context.study_hash, Sha256Of(statement), size);
}

}  // namespace

absl::StatusOr<SecretBytes> PairwiseMaskSeed(const SecAggContext& context,
                                             absl::string_view roster_hash,
                                             const X25519KeyPair& key,
                                             absl::string_view other_public,
                                             const SiteId& a, const SiteId& b) {
  HILUM_ASSIGN_OR_RETURN(SecretBytes agreed, key.Agree(other_public));
  return Derive(
      context, agreed,
      context.Statement("pairwise mask", {roster_hash, std::min(a, b).name(),
                                          std::max(a, b).name()}),
      kMaskSeedSize);
}

MaskSign PairwiseSign(const SiteId& site, const SiteId& other) {
  return site < other ? MaskSign::kAdd : MaskSign::kSubtract;
}

MaskSign Inverse(MaskSign sign) {
  return sign == MaskSign::kAdd ? MaskSign::kSubtract : MaskSign::kAdd;
}

SecretBytes SelfMaskSeed(const SecAggContext& context,
                         const SecretBytes& secret) {
  return Derive(context, secret, context.Statement("own mask seed", {}),
                kMaskSeedSize);
}

absl::StatusOr<SecretBytes> SealingKey(const SecAggContext& context,
                                       absl::string_view roster_hash,
                                       const X25519KeyPair& key,
                                       absl::string_view other_public,
                                       const SiteId& sender,
                                       const SiteId& recipient) {
  HILUM_ASSIGN_OR_RETURN(SecretBytes agreed, key.Agree(other_public));
  return Derive(context, agreed,
                context.Statement("sealed shares", {roster_hash, sender.name(),
                                                    recipient.name()}),
                kAes256KeySize);
}

}  // namespace hilum
