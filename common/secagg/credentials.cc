// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/credentials.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace hilum {

PeerVerifier::PeerVerifier(std::string authority_pem, std::string consortium,
                           Clock& clock)
    : authority_pem_(std::move(authority_pem)),
      consortium_(std::move(consortium)),
      clock_(clock) {}

absl::StatusOr<BearerName> PeerVerifier::BearerOf(
    const std::string& certificate) const {
  {
    absl::MutexLock lock(&mutex_);
    auto found = checked_.find(certificate);
    if (found != checked_.end()) return found->second;
  }
  HILUM_ASSIGN_OR_RETURN(
      BearerName bearer,
      CheckCertificate(authority_pem_, certificate, "the authority",
                       "the peer's certificate", clock_.Now()));
  absl::MutexLock lock(&mutex_);
  checked_.emplace(certificate, bearer);
  return bearer;
}

absl::Status PeerVerifier::Verify(const SiteId& site,
                                  const std::string& certificate,
                                  absl::string_view data,
                                  absl::string_view signature) const {
  HILUM_ASSIGN_OR_RETURN(BearerName bearer, BearerOf(certificate));
  if (bearer.site != site.name() || bearer.consortium != consortium_) {
    return absl::UnauthenticatedError(
        absl::StrCat("a certificate of ", BearerUri(bearer),
                     " is shown for site ", site.name()));
  }
  return VerifySignature(certificate, data, signature);
}

}  // namespace hilum
