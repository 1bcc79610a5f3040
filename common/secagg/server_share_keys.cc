// SPDX-License-Identifier: Apache-2.0
#include "common/base/status_macros.h"
#include "common/crypto/aes_gcm.h"
#include "common/secagg/server.h"

namespace hilum {

absl::Status SecAggServer::CheckShares(const SiteId& site,
                                       const v1::SealedShares& shares) const {
  HILUM_ASSIGN_OR_RETURN(std::set<SiteId> recipients, SitesOf(shares.shares()));
  recipients.insert(site);
  if (recipients != expected_ ||
      shares.shares_size() + 1 != static_cast<int>(expected_.size())) {
    return absl::InvalidArgumentError(
        "secure aggregation: shares for others than the roster's sites");
  }
  for (const v1::SealedShare& share : shares.shares()) {
    if (share.sealed().size() != 2 * kShareSize + kGcmTagSize) {
      return absl::InvalidArgumentError(
          "secure aggregation: a sealed share of another size");
    }
  }
  if (shares.self_mask_commitment().size() == 32) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "secure aggregation: no commitment to the own mask");
}

absl::Status SecAggServer::OnShares(const SiteId& site,
                                    const v1::SealedShares& shares) {
  HILUM_RETURN_IF_ERROR(Expect(Step::kShareKeys, site));
  if (shares_.contains(site)) return absl::OkStatus();
  HILUM_RETURN_IF_ERROR(CheckShares(site, shares));
  shares_[site] = shares;
  answered_.insert(site);
  return absl::OkStatus();
}

v1::Inbox SecAggServer::InboxFor(const SiteId& site) const {
  v1::Inbox inbox;
  for (const SiteId& sender : sharers_) {
    if (sender == site) continue;
    for (const v1::SealedShare& share : shares_.at(sender).shares()) {
      if (share.site() != site.name()) continue;
      v1::SealedShare& out = *inbox.add_shares();
      out.set_site(sender.name());
      out.set_sealed(share.sealed());
    }
  }
  return inbox;
}

}  // namespace hilum
