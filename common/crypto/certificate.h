// SPDX-License-Identifier: Apache-2.0
// Certificates of a consortium, as X.509 v3 (RFC 5280). The bearer's name is
// a URI in subjectAltName: hilum://CONSORTIUM/site/NAME for a site,
// hilum://CONSORTIUM/coordinator for the coordinator; the coordinator also
// has the host names and addresses under which sites reach it.
#ifndef HILUM_COMMON_CRYPTO_CERTIFICATE_H_
#define HILUM_COMMON_CRYPTO_CERTIFICATE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hilum {

struct CertificateInfo {
  std::string subject;             // common name
  std::string issuer;              // common name
  std::vector<std::string> uris;   // subjectAltName URI
  std::vector<std::string> hosts;  // subjectAltName DNS and IP
  absl::Time not_before;
  absl::Time not_after;
  std::string serial;              // hexadecimal
  std::string fingerprint_sha256;  // hexadecimal, of the DER bytes
  bool is_authority;
};

// Parses a certificate. INVALID_ARGUMENT: no PEM certificate.
absl::StatusOr<CertificateInfo> ParseCertificate(absl::string_view pem);

// Returns SHA-256, 32 raw bytes, of the certificate's public key as
// SubjectPublicKeyInfo in DER (RFC 5280, section 4.1.2.7). The digest
// identifies a key across its certificates; people compare it in hex. Empty: no
// PEM certificate.
std::string KeyDigest(absl::string_view certificate_pem);

// The bearer named in a certificate's URI. INVALID_ARGUMENT: neither of the two
// forms.
struct BearerName {
  std::string consortium;
  std::string site;  // empty: the coordinator
};
absl::StatusOr<BearerName> ParseBearerUri(absl::string_view uri);
std::string BearerUri(const BearerName& name);

// Returns the bearer in a certificate's only bearer URI. INVALID_ARGUMENT: none
// or several.
absl::StatusOr<BearerName> CertificateBearer(const CertificateInfo& info);

// Returns the bearer of a certificate that the authority signed and that is
// valid `now`. UNAUTHENTICATED otherwise; the message names the faulty one of
// `certificate` and `authority`.
absl::StatusOr<BearerName> CheckCertificate(absl::string_view authority_pem,
                                            absl::string_view certificate_pem,
                                            const std::string& authority,
                                            const std::string& certificate,
                                            absl::Time now);

// A process's own certificate, key and authority, read and checked before the
// network is used, so that errors are clear.
struct Identity {
  std::string authority_pem;
  std::string certificate_pem;
  std::string private_key_pem;
  BearerName name;
  CertificateInfo certificate;
};

enum class Role { kSite, kCoordinator };

// Reads and checks the files. UNAUTHENTICATED names the file: expired or not
// yet valid (with the date), signed by another authority, for another role; or
// the key is not P-256 or does not belong to the certificate.
// PERMISSION_DENIED: the key file is open to its group or to others; the
// message has the command that mends it.
absl::StatusOr<Identity> LoadIdentity(const std::string& authority_path,
                                      const std::string& certificate_path,
                                      const std::string& private_key_path,
                                      Role role, absl::Time now);

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_CERTIFICATE_H_
