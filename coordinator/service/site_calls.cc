// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/site_calls.h"

#include "absl/strings/str_cat.h"

namespace hilum {

absl::StatusOr<SiteCalls::Ticket> SiteCalls::Begin(const SiteId& site) {
  absl::MutexLock lock(&mutex_);
  size_t& calls = calls_[site];
  if (calls >= per_site_) {
    return absl::UnavailableError(
        absl::StrCat("site ", site.name(), " has ", per_site_,
                     " calls at the coordinator at one time; try again"));
  }
  ++calls;
  return Ticket(*this, site);
}

void SiteCalls::End(const SiteId& site) {
  absl::MutexLock lock(&mutex_);
  auto own = calls_.find(site);
  if (--own->second == 0) calls_.erase(own);
}

}  // namespace hilum
