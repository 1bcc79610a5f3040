// SPDX-License-Identifier: Apache-2.0
#include "certs/describe.h"

#include <openssl/err.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate.h"
#include "common/crypto/openssl_types.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

std::string Minute(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
}

// Returns names in a safe form: a certificate from outside may have any bytes
// in them.
std::string Shown(const std::vector<std::string>& names) {
  return names.empty() ? "none" : absl::CHexEscape(absl::StrJoin(names, ", "));
}

std::string Line(absl::string_view what, absl::string_view value) {
  return absl::StrCat(what, std::string(13 - what.size(), ' '), value, "\n");
}

std::string BearerLines(const CertificateInfo& info) {
  if (info.is_authority) return Line("role", "authority");
  const absl::StatusOr<BearerName> bearer = CertificateBearer(info);
  if (!bearer.ok()) return Line("role", "none of a consortium's");
  const RequestedName name{.site = bearer->site};
  return absl::StrCat(Line("role", RoleOf(name)), Line("name", NameOf(name)),
                      Line("consortium", bearer->consortium));
}

bool IsSignedByItsKey(const std::string& pem) {
  const UniqueX509 certificate = ReadCertificatePem(pem);
  const bool ok =
      certificate != nullptr &&
      X509_verify(certificate.get(), X509_get0_pubkey(certificate.get())) == 1;
  ERR_clear_error();
  return ok;
}

}  // namespace

std::string RoleOf(const RequestedName& name) {
  return name.site.empty() ? "coordinator" : "site";
}

std::string NameOf(const RequestedName& name) {
  return name.site.empty() ? "coordinator" : name.site;
}

std::string DescribeRequest(const ReceivedRequest& request) {
  return absl::StrCat(
      Line("role", RoleOf(request.name)), Line("name", NameOf(request.name)),
      Line("hosts", Shown(request.name.hosts)),
      Line("key", ToHex(request.key_digest)),
      Line("signature", request.signed_by_its_key
                            ? "its own key's, ok"
                            : "BROKEN: damaged or changed on its way"));
}

absl::StatusOr<std::string> DescribeCertificate(
    const std::string& certificate_pem) {
  HILUM_ASSIGN_OR_RETURN(CertificateInfo info,
                         ParseCertificate(certificate_pem));
  return absl::StrCat(
      BearerLines(info), Line("uri", Shown(info.uris)),
      Line("subject", Shown({info.subject})), Line("hosts", Shown(info.hosts)),
      Line("key", ToHex(KeyDigest(certificate_pem))),
      Line("issuer", Shown({info.issuer})),
      Line("signature", IsSignedByItsKey(certificate_pem)
                            ? "its own key's, ok"
                            : "its issuer's, not checked here"),
      Line("valid", absl::StrCat(Minute(info.not_before), " to ",
                                 Minute(info.not_after))),
      Line("serial", info.serial),
      Line("fingerprint", info.fingerprint_sha256));
}

absl::Status CheckFree(const std::vector<std::string>& paths, bool force) {
  for (const std::string& path : paths) {
    if (!force && FileExists(path)) {
      return absl::AlreadyExistsError(
          absl::StrCat(path, " is there already; --force to replace it"));
    }
  }
  return absl::OkStatus();
}

absl::Status Naming(const std::string& path, const absl::Status& status) {
  if (status.ok() ||
      absl::StartsWith(status.message(), absl::StrCat(path, ": "))) {
    return status;
  }
  return absl::Status(status.code(),
                      absl::StrCat(path, ": ", status.message()));
}

}  // namespace hilum
