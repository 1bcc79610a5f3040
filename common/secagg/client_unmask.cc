// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/secagg/client.h"

namespace hilum {

absl::StatusOr<v1::RevealedShares> SecAggClient::Unmask(
    const v1::Confirmations& confirmations) {
  HILUM_RETURN_IF_ERROR(Begin(Step::kUnmask));
  HILUM_ASSIGN_OR_RETURN(std::set<SiteId> confirmed,
                         SitesOf(confirmations.entries()));
  const std::string statement = OwnStatement();
  for (const v1::Confirmations::Entry& entry : confirmations.entries()) {
    const SiteId site(entry.site());
    if (!survivors_.contains(site) ||
        !credentials_.verifier
             ->Verify(site, roster_.at(site).keys.certificate(), statement,
                      entry.signature())
             .ok()) {
      return absl::PermissionDeniedError(absl::StrCat(
          "secure aggregation: ", entry.site(), " has not confirmed the ",
          "survivors that this site was shown: the coordinator tells sites ",
          "different things"));
    }
  }
  if (static_cast<int>(confirmed.size()) < context_.Threshold()) {
    return absl::PermissionDeniedError(absl::StrCat(
        "secure aggregation: only ", confirmed.size(),
        " sites have confirmed, of at least ", context_.Threshold()));
  }
  v1::RevealedShares revealed;
  for (const SiteId& site : sharers_) {
    const Peer& peer = roster_.at(site);
    const bool survived = survivors_.contains(site);
    absl::Span<const uint8_t> share =
        (survived ? peer.self_mask_share : peer.mask_key_share).ExposeBytes();
    if (share.empty()) continue;  // its message could not be opened
    v1::RevealedShare& out = *revealed.add_shares();
    out.set_site(site.name());
    out.set_self_mask(survived);
    out.set_share(share.data(), share.size());
  }
  roster_.clear();
  self_mask_ = SecretBytes();
  mask_key_.reset();
  share_key_.reset();
  return revealed;
}

}  // namespace hilum
