// SPDX-License-Identifier: Apache-2.0
#include "coordinator/site_keys.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate.h"

namespace hilum {
namespace {

constexpr size_t kMostBytes = 1 << 16;  // of a file with a certificate

bool IsSiteOf(const v1::Study& study, const std::string& site) {
  return std::find(study.sites().begin(), study.sites().end(), site) !=
         study.sites().end();
}

// Returns the site's name; empty: not a certificate of one of the study's
// sites.
std::string SiteOf(const v1::Study& study, const std::string& pem) {
  const absl::StatusOr<CertificateInfo> info = ParseCertificate(pem);
  if (!info.ok() || info->is_authority) return "";
  const absl::StatusOr<BearerName> bearer = CertificateBearer(*info);
  return bearer.ok() && IsSiteOf(study, bearer->site) ? bearer->site : "";
}

absl::StatusOr<std::vector<std::string>> ReadFolder(const std::string& folder,
                                                    const v1::Study& study) {
  std::set<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string suffix = entry.path().extension();
    if (suffix == ".crt" || suffix == ".pem") files.insert(entry.path());
  }
  if (error) return ErrnoStatus(error.value(), "cannot read", folder);
  std::vector<std::string> certificates;
  for (const std::string& file : files) {
    const absl::StatusOr<std::string> pem = ReadFile(file, kMostBytes);
    if (pem.ok() && !SiteOf(study, *pem).empty()) certificates.push_back(*pem);
  }
  if (!certificates.empty()) return certificates;
  return absl::InvalidArgumentError(
      absl::StrCat(folder, ": no *.crt or *.pem in it is the certificate of ",
                   "one of the study's sites"));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ReadSiteCertificates(
    const std::vector<std::string>& paths, const v1::Study& study) {
  std::vector<std::string> certificates;
  for (const std::string& path : paths) {
    if (std::filesystem::is_directory(path)) {
      HILUM_ASSIGN_OR_RETURN(std::vector<std::string> found,
                             ReadFolder(path, study));
      certificates.insert(certificates.end(), found.begin(), found.end());
      continue;
    }
    HILUM_ASSIGN_OR_RETURN(std::string pem, ReadFile(path, kMostBytes));
    const absl::StatusOr<CertificateInfo> info = ParseCertificate(pem);
    if (!info.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": ", info.status().message()));
    }
    certificates.push_back(std::move(pem));
  }
  return certificates;
}

absl::Status PinSiteKeys(const std::vector<std::string>& certificates,
                         const CertificateRules& rules, v1::Study& study) {
  if (!study.site_keys().empty()) {
    return absl::InvalidArgumentError(
        "'site_keys' is filled at submission from the sites' certificates; "
        "leave it out of the study");
  }
  if (certificates.empty()) return absl::OkStatus();
  std::map<std::string, std::string> keys;
  for (const std::string& pem : certificates) {
    HILUM_ASSIGN_OR_RETURN(
        BearerName bearer,
        CheckCertificate(rules.authority_pem, pem, "the authority",
                         "a site's certificate", rules.now));
    if (bearer.consortium != rules.consortium ||
        !IsSiteOf(study, bearer.site)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a certificate is made out to ", BearerUri(bearer),
                       ", which is not a site of this study"));
    }
    if (!keys.emplace(bearer.site, KeyDigest(pem)).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          "two certificates are of site ", bearer.site, "; give one"));
    }
  }
  std::sort(study.mutable_sites()->begin(), study.mutable_sites()->end());
  std::vector<std::string> pinned;
  for (const std::string& site : study.sites()) {
    const auto found = keys.find(site);
    if (found == keys.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "no certificate of site ", site,
          " is given; give one for each of the study's sites, or none"));
    }
    pinned.push_back(found->second);
  }
  study.mutable_site_keys()->Add(pinned.begin(), pinned.end());
  return absl::OkStatus();
}

}  // namespace hilum
