// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/certificate.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cerrno>
#include <ctime>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/crypto/openssl_types.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr absl::string_view kScheme = "hilum://";

absl::Time ToTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return absl::InfinitePast();
  }
  return absl::FromTM(parts, absl::UTCTimeZone());
}

std::string CommonName(const X509_NAME* name) {
  int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return "";
  const ASN1_STRING* text =
      X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<size_t>(ASN1_STRING_length(text)));
}

std::string Text(const ASN1_STRING* text) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<size_t>(ASN1_STRING_length(text)));
}

void ReadNames(const X509* certificate, CertificateInfo& info) {
  std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(
          certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) {
      info.uris.push_back(Text(name->d.uniformResourceIdentifier));
    } else if (name->type == GEN_DNS) {
      info.hosts.push_back(Text(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
      std::string raw = Text(name->d.iPAddress);
      char text[INET6_ADDRSTRLEN];
      if (raw.size() != 4 && raw.size() != 16) continue;  // no address
      if (inet_ntop(raw.size() == 4 ? AF_INET : AF_INET6, raw.data(), text,
                    sizeof text) != nullptr) {
        info.hosts.emplace_back(text);
      }
    }
  }
}

std::string Day(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
}

absl::Status CheckDates(const std::string& path, const CertificateInfo& info,
                        absl::Time now) {
  if (now > info.not_after) {
    return absl::UnauthenticatedError(
        absl::StrCat(path, ": the certificate expired on ", Day(info.not_after),
                     "; have the authority sign a new one (hilum-certs sign)"));
  }
  if (now < info.not_before) {
    return absl::UnauthenticatedError(absl::StrCat(
        path, ": the certificate is valid only from ", Day(info.not_before),
        "; is this machine's clock (", Day(now), ") right?"));
  }
  return absl::OkStatus();
}

absl::Status CheckIssuer(absl::string_view authority_pem,
                         absl::string_view certificate_pem,
                         const std::string& authority,
                         const std::string& certificate) {
  UniqueX509 ca = ReadCertificatePem(authority_pem);
  UniqueX509 leaf = ReadCertificatePem(certificate_pem);
  if (X509_check_ca(ca.get()) != 1) {
    return absl::UnauthenticatedError(
        absl::StrCat(authority,
                     ": not the certificate of an authority; tls.authority is "
                     "the ca.crt that the consortium's lead gives out"));
  }
  if (X509_check_issued(ca.get(), leaf.get()) != X509_V_OK ||
      X509_verify(leaf.get(), X509_get0_pubkey(ca.get())) != 1) {
    return absl::UnauthenticatedError(
        absl::StrCat(certificate, ": signed by '",
                     CommonName(X509_get_issuer_name(leaf.get())),
                     "', not by the authority in ", authority,
                     "; are both from the same consortium?"));
  }
  return absl::OkStatus();
}

absl::Status CheckKey(const Identity& identity, const std::string& key_path,
                      const std::string& certificate_path) {
  UniqueX509 leaf = ReadCertificatePem(identity.certificate_pem);
  UniqueKey key = ReadPrivateKeyPem(identity.private_key_pem);
  if (key == nullptr) {
    return absl::UnauthenticatedError(
        absl::StrCat(key_path, ": no unencrypted PEM private key in it"));
  }
  if (!IsP256(key.get())) {
    return absl::UnauthenticatedError(absl::StrCat(
        key_path, ": not an ECDSA P-256 key; hilum-certs site makes one, with ",
        "a new request for the authority"));
  }
  if (X509_check_private_key(leaf.get(), key.get()) != 1) {
    return absl::UnauthenticatedError(
        absl::StrCat(key_path, ": not the key of ", certificate_path,
                     "; they come as a pair: the certificate is what the "
                     "authority signed of this key's request"));
  }
  return absl::OkStatus();
}

absl::Status CheckKeyMode(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    return ErrnoStatus(errno, "cannot read the private key", path);
  }
  if ((info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrFormat("%s: the private key is open to others (mode %04o); "
                        "run: chmod 600 %s",
                        path, info.st_mode & 07777, path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CertificateInfo> ParseCertificate(absl::string_view pem) {
  UniqueX509 certificate = ReadCertificatePem(pem);
  if (certificate == nullptr) {
    return absl::InvalidArgumentError("no PEM certificate in it");
  }
  const X509* x509 = certificate.get();
  CertificateInfo info;
  info.subject = CommonName(X509_get_subject_name(x509));
  info.issuer = CommonName(X509_get_issuer_name(x509));
  info.not_before = ToTime(X509_get0_notBefore(x509));
  info.not_after = ToTime(X509_get0_notAfter(x509));
  info.is_authority = X509_check_ca(certificate.get()) == 1;
  info.serial = absl::BytesToHexString(Text(X509_get0_serialNumber(x509)));
  unsigned char* der = nullptr;
  int size = i2d_X509(x509, &der);
  info.fingerprint_sha256 = ToHex(Sha256Of(absl::string_view(
      reinterpret_cast<char*>(der), static_cast<size_t>(size))));
  OPENSSL_free(der);
  ReadNames(x509, info);
  return info;
}

std::string KeyDigest(absl::string_view certificate_pem) {
  UniqueX509 certificate = ReadCertificatePem(certificate_pem);
  if (certificate == nullptr) return "";
  unsigned char* der = nullptr;
  const int size =
      i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der);
  if (size <= 0) return "";
  std::string digest = Sha256Of(absl::string_view(reinterpret_cast<char*>(der),
                                                  static_cast<size_t>(size)));
  OPENSSL_free(der);
  return digest;
}

absl::StatusOr<BearerName> ParseBearerUri(absl::string_view uri) {
  absl::string_view rest = uri;
  std::vector<std::string> parts;
  if (absl::ConsumePrefix(&rest, kScheme)) parts = absl::StrSplit(rest, '/');
  bool coordinator = parts.size() == 2 && parts[1] == "coordinator";
  bool site = parts.size() == 3 && parts[1] == "site" && IsValidName(parts[2]);
  if ((!coordinator && !site) || !IsValidName(parts[0])) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", absl::CHexEscape(uri), "' is not hilum://CONSORTIUM/site/NAME or ",
        "hilum://CONSORTIUM/coordinator"));
  }
  return BearerName{.consortium = parts[0], .site = site ? parts[2] : ""};
}

std::string BearerUri(const BearerName& name) {
  std::string uri = absl::StrCat(kScheme, name.consortium);
  return name.site.empty() ? absl::StrCat(uri, "/coordinator")
                           : absl::StrCat(uri, "/site/", name.site);
}

absl::StatusOr<BearerName> CertificateBearer(const CertificateInfo& info) {
  if (info.uris.size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the certificate of '", info.subject, "' has ", info.uris.size(),
        " URI names instead of one; make it with hilum-certs"));
  }
  return ParseBearerUri(info.uris[0]);
}

absl::StatusOr<BearerName> CheckCertificate(absl::string_view authority_pem,
                                            absl::string_view certificate_pem,
                                            const std::string& authority,
                                            const std::string& certificate,
                                            absl::Time now) {
  absl::StatusOr<CertificateInfo> ca = ParseCertificate(authority_pem);
  if (!ca.ok()) {
    return absl::UnauthenticatedError(
        absl::StrCat(authority, ": ", ca.status().message()));
  }
  absl::StatusOr<CertificateInfo> leaf = ParseCertificate(certificate_pem);
  if (!leaf.ok()) {
    return absl::UnauthenticatedError(
        absl::StrCat(certificate, ": ", leaf.status().message()));
  }
  HILUM_RETURN_IF_ERROR(
      CheckIssuer(authority_pem, certificate_pem, authority, certificate));
  HILUM_RETURN_IF_ERROR(CheckDates(authority, *ca, now));
  HILUM_RETURN_IF_ERROR(CheckDates(certificate, *leaf, now));
  absl::StatusOr<BearerName> name = CertificateBearer(*leaf);
  if (!name.ok()) {
    return absl::UnauthenticatedError(
        absl::StrCat(certificate, ": ", name.status().message()));
  }
  return *name;
}

absl::StatusOr<Identity> LoadIdentity(const std::string& authority_path,
                                      const std::string& certificate_path,
                                      const std::string& private_key_path,
                                      Role role, absl::Time now) {
  Identity identity;
  HILUM_ASSIGN_OR_RETURN(identity.authority_pem, ReadFile(authority_path));
  HILUM_ASSIGN_OR_RETURN(identity.certificate_pem, ReadFile(certificate_path));
  HILUM_RETURN_IF_ERROR(CheckKeyMode(private_key_path));
  HILUM_ASSIGN_OR_RETURN(identity.private_key_pem, ReadFile(private_key_path));
  HILUM_ASSIGN_OR_RETURN(
      identity.name,
      CheckCertificate(identity.authority_pem, identity.certificate_pem,
                       authority_path, certificate_path, now));
  HILUM_ASSIGN_OR_RETURN(identity.certificate,
                         ParseCertificate(identity.certificate_pem));
  if (identity.name.site.empty() != (role == Role::kCoordinator)) {
    return absl::UnauthenticatedError(absl::StrCat(
        certificate_path, ": made out to ", BearerUri(identity.name),
        ", but this is ", role == Role::kSite ? "a site" : "the coordinator"));
  }
  HILUM_RETURN_IF_ERROR(CheckKey(identity, private_key_path, certificate_path));
  return identity;
}

}  // namespace hilum
