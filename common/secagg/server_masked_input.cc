// SPDX-License-Identifier: Apache-2.0
#include "common/base/status_macros.h"
#include "common/secagg/server.h"

namespace hilum {

absl::Status SecAggServer::OnMaskedInput(const SiteId& site,
                                         const std::string& vector_sha256,
                                         const std::string& signature) {
  HILUM_RETURN_IF_ERROR(Expect(Step::kMaskedInput, site));
  if (vectors_.contains(site)) return absl::OkStatus();
  const std::string& commitment = shares_.at(site).self_mask_commitment();
  // One bad signature would make every other site refuse to confirm.
  HILUM_RETURN_IF_ERROR(
      verifier_.Verify(site, keys_.at(site).certificate(),
                       VectorStatement(context_, site, roster_hash_, sharers_,
                                       commitment, vector_sha256),
                       signature));
  v1::SurvivorVector& vector = vectors_[site];
  vector.set_sha256(vector_sha256);
  vector.set_signature(signature);
  vector.set_self_mask_commitment(commitment);
  answered_.insert(site);
  return absl::OkStatus();
}

v1::Survivors SecAggServer::SurvivorsMessage() const {
  v1::Survivors message;
  for (const SiteId& site : survivors_) {
    message.add_sites(site.name());
    *message.add_vectors() = vectors_.at(site);
  }
  return message;
}

std::map<SiteId, SurvivorClaim> SecAggServer::Claims() const {
  std::map<SiteId, SurvivorClaim> claims;
  for (const SiteId& site : survivors_) {
    const v1::SurvivorVector& vector = vectors_.at(site);
    claims[site] = {.vector_sha256 = vector.sha256(),
                    .self_mask_commitment = vector.self_mask_commitment()};
  }
  return claims;
}

}  // namespace hilum
