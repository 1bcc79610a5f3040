// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SITE_KEYS_H_
#define HILUM_COORDINATOR_SITE_KEYS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hilum/v1/study.pb.h"

namespace hilum {

// Which certificates are accepted.
struct CertificateRules {
  std::string authority_pem;
  std::string consortium;
  absl::Time now;
};

// Fills the study's site_keys from the certificates (PEM) of its sites, in any
// order; sorts its sites, since the keys have their order. Without certificates
// it pins no keys. Each site of the study must have exactly one certificate,
// and nobody else may have one. UNAUTHENTICATED: not signed by the authority,
// or not valid now. INVALID_ARGUMENT names the site that is missing, given
// twice or not in the study; also where the study has keys already.
absl::Status PinSiteKeys(const std::vector<std::string>& certificates,
                         const CertificateRules& rules, v1::Study& study);

// Reads certificates for a study's sites from files and folders. In a folder it
// reads *.crt and *.pem, takes the files with a certificate of one of the sites
// and ignores the rest. INVALID_ARGUMENT: a file without a certificate, or a
// folder with none for these sites.
absl::StatusOr<std::vector<std::string>> ReadSiteCertificates(
    const std::vector<std::string>& paths, const v1::Study& study);

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SITE_KEYS_H_
