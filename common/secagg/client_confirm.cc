// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/secagg/client.h"

namespace hilum {

absl::Status SecAggClient::CheckSurvivors(
    const std::set<SiteId>& survivors) const {
  if (!survivors.contains(self_)) {
    return absl::PermissionDeniedError(
        "secure aggregation: the survivors leave out this site, whose vector "
        "is in");
  }
  if (static_cast<int>(survivors.size()) < context_.LeastSurvivors()) {
    return absl::PermissionDeniedError(absl::StrCat(
        "secure aggregation: a sum of ", survivors.size(),
        " sites is asked for, of at least ", context_.LeastSurvivors()));
  }
  if (std::includes(sharers_.begin(), sharers_.end(), survivors.begin(),
                    survivors.end())) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(
      "secure aggregation: the survivors name a site that has not shared");
}

std::string SecAggClient::OwnStatement() const {
  return SurvivorsStatement(context_, roster_hash_, sharers_, claims_);
}

absl::Status SecAggClient::CheckVector(const SiteId& site,
                                       const v1::SurvivorVector& vector) const {
  if (site == self_) {
    if (vector.sha256() == own_claim_.vector_sha256 &&
        vector.self_mask_commitment() == own_claim_.self_mask_commitment) {
      return absl::OkStatus();
    }
    return absl::PermissionDeniedError(
        "secure aggregation: the survivors have another vector of this site "
        "than it gave");
  }
  absl::Status signature = credentials_.verifier->Verify(
      site, roster_.at(site).keys.certificate(),
      VectorStatement(context_, site, roster_hash_, sharers_,
                      vector.self_mask_commitment(), vector.sha256()),
      vector.signature());
  if (signature.ok()) return signature;
  return absl::PermissionDeniedError(
      absl::StrCat("secure aggregation: the survivors have a vector that ",
                   site.name(), " did not sign: ", signature.message()));
}

absl::StatusOr<v1::Confirmation> SecAggClient::Confirm(
    const v1::Survivors& survivors) {
  HILUM_RETURN_IF_ERROR(Begin(Step::kMask));
  masks_.clear();
  for (const std::string& name : survivors.sites()) {
    SiteId site(name);
    if (!survivors_.empty() && !(*survivors_.rbegin() < site)) {
      return absl::InvalidArgumentError(
          "secure aggregation: the survivors are not sorted");
    }
    survivors_.insert(std::move(site));
  }
  HILUM_RETURN_IF_ERROR(CheckSurvivors(survivors_));
  if (survivors.vectors_size() != survivors.sites_size()) {
    return absl::InvalidArgumentError(
        "secure aggregation: the survivors are shown without their vectors");
  }
  for (int i = 0; i < survivors.sites_size(); ++i) {
    const SiteId site(survivors.sites(i));
    const v1::SurvivorVector& vector = survivors.vectors(i);
    HILUM_RETURN_IF_ERROR(CheckVector(site, vector));
    claims_[site] = {.vector_sha256 = vector.sha256(),
                     .self_mask_commitment = vector.self_mask_commitment()};
  }
  v1::Confirmation confirmation;
  confirmation.set_signature(credentials_.signer->Sign(OwnStatement()));
  Finish(Step::kUnmask);
  return confirmation;
}

}  // namespace hilum
