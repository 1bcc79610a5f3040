// SPDX-License-Identifier: Apache-2.0
#include "common/base/status_macros.h"
#include "common/secagg/server.h"

namespace hilum {

absl::Status SecAggServer::OnConfirmation(
    const SiteId& site, const v1::Confirmation& confirmation) {
  HILUM_RETURN_IF_ERROR(Expect(Step::kConfirm, site));
  if (signatures_.contains(site)) return absl::OkStatus();
  // One bad signature would make every other site refuse to unmask.
  HILUM_RETURN_IF_ERROR(verifier_.Verify(
      site, keys_.at(site).certificate(),
      SurvivorsStatement(context_, roster_hash_, sharers_, Claims()),
      confirmation.signature()));
  signatures_[site] = confirmation.signature();
  answered_.insert(site);
  return absl::OkStatus();
}

}  // namespace hilum
