// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_SECAGG_CREDENTIALS_H_
#define HILUM_COMMON_SECAGG_CREDENTIALS_H_

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/crypto/certificate.h"
#include "common/crypto/signature.h"

namespace hilum {

// Verifies sites' signatures by the consortium's certificates. Checks a
// certificate against the authority when it is first seen, and against the
// clock each time. Thread-safe.
class PeerVerifier {
 public:
  // `clock` outlives this object.
  PeerVerifier(std::string authority_pem, std::string consortium, Clock& clock);

  // UNAUTHENTICATED: `certificate` is not signed by this authority, not valid
  // now or not made out to `site`, or it did not sign `data`.
  absl::Status Verify(const SiteId& site, const std::string& certificate,
                      absl::string_view data,
                      absl::string_view signature) const;

 private:
  // A certificate that passed the check.
  struct Checked {
    BearerName bearer;
    absl::Time not_after;
    CertificateKey key;
  };
  absl::StatusOr<Checked> Check(const std::string& certificate) const;

  const std::string authority_pem_;
  const std::string consortium_;
  Clock& clock_;
  mutable absl::Mutex mutex_;
  mutable std::map<std::string, Checked> checked_ ABSL_GUARDED_BY(mutex_);
};

// A site's credentials in secure sums: its certificate and key, and the
// verifier of its peers' signatures. Thread-safe.
struct SiteCredentials {
  std::string certificate_pem;
  const Signer* signer;          // of the certificate's key
  const PeerVerifier* verifier;  // both outlive this
};

}  // namespace hilum

#endif  // HILUM_COMMON_SECAGG_CREDENTIALS_H_
