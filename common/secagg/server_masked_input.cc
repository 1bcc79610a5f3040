// SPDX-License-Identifier: Apache-2.0
#include "common/base/status_macros.h"
#include "common/secagg/server.h"

namespace hilum {

absl::Status SecAggServer::OnMaskedInput(const SiteId& site) {
  HILUM_RETURN_IF_ERROR(Expect(Step::kMaskedInput, site));
  answered_.insert(site);
  return absl::OkStatus();
}

v1::Survivors SecAggServer::SurvivorsMessage() const {
  v1::Survivors message;
  for (const SiteId& site : survivors_) message.add_sites(site.name());
  return message;
}

}  // namespace hilum
