// SPDX-License-Identifier: Apache-2.0
#include "common/secagg/credentials.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

// Certificates to keep; a cohort has fewer, and renews them now and then.
constexpr size_t kMostKept = 4096;

}  // namespace

PeerVerifier::PeerVerifier(std::string authority_pem, std::string consortium,
                           Clock& clock)
    : authority_pem_(std::move(authority_pem)),
      consortium_(std::move(consortium)),
      clock_(clock) {}

absl::StatusOr<PeerVerifier::Checked> PeerVerifier::Check(
    const std::string& certificate) const {
  {
    absl::MutexLock lock(&mutex_);
    auto found = checked_.find(certificate);
    if (found != checked_.end() && clock_.Now() <= found->second.not_after) {
      return found->second;
    }
  }
  HILUM_ASSIGN_OR_RETURN(
      BearerName bearer,
      CheckCertificate(authority_pem_, certificate, "the authority",
                       "the peer's certificate", clock_.Now()));
  HILUM_ASSIGN_OR_RETURN(CertificateInfo info, ParseCertificate(certificate));
  HILUM_ASSIGN_OR_RETURN(CertificateKey key, CertificateKey::Read(certificate));
  Checked checked{std::move(bearer), info.not_after, std::move(key)};
  absl::MutexLock lock(&mutex_);
  if (checked_.size() >= kMostKept) checked_.clear();
  checked_.emplace(certificate, checked);
  return checked;
}

absl::Status PeerVerifier::Verify(const SiteId& site,
                                  const std::string& certificate,
                                  absl::string_view data,
                                  absl::string_view signature) const {
  HILUM_ASSIGN_OR_RETURN(Checked checked, Check(certificate));
  const BearerName& bearer = checked.bearer;
  if (bearer.site != site.name() || bearer.consortium != consortium_) {
    return absl::UnauthenticatedError(
        absl::StrCat("a certificate of ", BearerUri(bearer),
                     " is shown for site ", site.name()));
  }
  return checked.key.Verify(data, signature);
}

}  // namespace hilum
