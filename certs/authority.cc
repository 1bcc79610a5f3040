// SPDX-License-Identifier: Apache-2.0
#include "certs/authority.h"

#include <openssl/bn.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "certs/x509_parts.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/crypto/secure_rng.h"

namespace hilum {
namespace {

constexpr int kAuthorityDays = 3653;
constexpr absl::Duration kBackdated = absl::Minutes(5);

bool SetSerial(X509* certificate) {
  uint8_t bytes[16];
  RealSecureRng().Fill(absl::MakeSpan(bytes));
  bytes[0] &= 0x7f;  // positive (RFC 5280, 4.1.2.2)
  bytes[0] |= 0x40;
  const std::unique_ptr<BIGNUM, OpenSslFree<BN_free>> number(
      BN_bin2bn(bytes, sizeof(bytes), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) !=
             nullptr;
}

bool SetValidity(X509* certificate, absl::Time now, int days) {
  const absl::Time from = now - kBackdated;
  return ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(from)) !=
             nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate),
                       absl::ToTimeT(from + absl::Hours(24) * days)) != nullptr;
}

bool AddName(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(
             name, field, MBSTRING_UTF8,
             reinterpret_cast<const unsigned char*>(value.data()),
             static_cast<int>(value.size()), -1, 0) == 1;
}

bool AddExtension(X509* certificate, X509* issuer, int nid,
                  const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, OpenSslFree<X509_EXTENSION_free>>
      extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr &&
         X509_add_ext(certificate, extension.get(), -1) == 1;
}

using Extensions = std::vector<std::pair<int, std::string>>;

bool AddExtensions(X509* certificate, X509* issuer,
                   const Extensions& extensions) {
  return std::all_of(
      extensions.begin(), extensions.end(), [&](const auto& entry) {
        return AddExtension(certificate, issuer, entry.first, entry.second);
      });
}

absl::StatusOr<std::string> CertificatePem(X509* certificate) {
  UniqueBio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return OpenSslError("cannot write the certificate");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

// Returns the O of an authority's subject.
std::string ConsortiumOf(const X509* authority) {
  const X509_NAME* subject = X509_get_subject_name(authority);
  const int at = X509_NAME_get_index_by_NID(subject, NID_organizationName, -1);
  if (at < 0) return "";
  const ASN1_STRING* text =
      X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<size_t>(ASN1_STRING_length(text)));
}

UniqueKey PublicKeyOf(absl::string_view request_pem) {
  UniqueRequest request(PEM_read_bio_X509_REQ(MemoryBio(request_pem).get(),
                                              nullptr, nullptr, nullptr));
  return UniqueKey(request == nullptr ? nullptr
                                      : X509_REQ_get_pubkey(request.get()));
}

}  // namespace

absl::StatusOr<Authority> MakeAuthority(absl::string_view consortium,
                                        absl::Time now) {
  if (!IsValidName(consortium)) {
    return absl::InvalidArgumentError(
        absl::StrCat("consortium '", consortium,
                     "': a-z, 0-9 and -, at most 63 characters"));
  }
  UniqueKey key = MakeKey();
  UniqueX509 certificate(X509_new());
  if (key == nullptr || certificate == nullptr) {
    return OpenSslError("cannot make a key");
  }
  X509* x509 = certificate.get();
  X509_NAME* name = X509_get_subject_name(x509);
  const std::string organization(consortium);
  if (X509_set_version(x509, X509_VERSION_3) != 1 || !SetSerial(x509) ||
      !SetValidity(x509, now, kAuthorityDays) ||
      !AddName(name, "O", organization) ||
      !AddName(name, "CN", organization + " consortium authority") ||
      X509_set_issuer_name(x509, name) != 1 ||
      X509_set_pubkey(x509, key.get()) != 1 ||
      !AddExtensions(x509, x509,
                     {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                      {NID_key_usage, "critical,keyCertSign,cRLSign"},
                      {NID_subject_key_identifier, "hash"}}) ||
      X509_sign(x509, key.get(), EVP_sha256()) <= 0) {
    return OpenSslError("cannot make the authority's certificate");
  }
  Authority authority;
  HILUM_ASSIGN_OR_RETURN(authority.private_key_pem, KeyPem(key.get()));
  HILUM_ASSIGN_OR_RETURN(authority.certificate_pem, CertificatePem(x509));
  return authority;
}

absl::StatusOr<std::string> SignRequest(const Authority& authority,
                                        absl::string_view request_pem, int days,
                                        absl::Time now) {
  if (days < 1 || days > 3650) {
    return absl::InvalidArgumentError("days: 1 to 3650");
  }
  HILUM_ASSIGN_OR_RETURN(RequestedName name, ReadRequest(request_pem));
  UniqueX509 ca = ReadCertificatePem(authority.certificate_pem);
  UniqueKey key = ReadPrivateKeyPem(authority.private_key_pem);
  if (ca == nullptr || key == nullptr || X509_check_ca(ca.get()) != 1 ||
      X509_check_private_key(ca.get(), key.get()) != 1) {
    return absl::FailedPreconditionError(
        "ca.crt and ca.key are not an authority's certificate and its key");
  }
  const std::string consortium = ConsortiumOf(ca.get());
  HILUM_ASSIGN_OR_RETURN(std::string names, AlternativeNames(consortium, name));
  UniqueKey subject_key = PublicKeyOf(request_pem);
  UniqueX509 certificate(X509_new());
  if (certificate == nullptr) return OpenSslError("cannot sign");
  X509* x509 = certificate.get();
  X509_NAME* subject = X509_get_subject_name(x509);
  const bool coordinator = name.site.empty();
  if (X509_set_version(x509, X509_VERSION_3) != 1 || !SetSerial(x509) ||
      !SetValidity(x509, now, days) || !AddName(subject, "O", consortium) ||
      !AddName(subject, "CN", coordinator ? "coordinator" : name.site) ||
      X509_set_issuer_name(x509, X509_get_subject_name(ca.get())) != 1 ||
      X509_set_pubkey(x509, subject_key.get()) != 1 ||
      !AddExtensions(
          x509, ca.get(),
          {{NID_basic_constraints, "critical,CA:FALSE"},
           {NID_key_usage, "critical,digitalSignature"},
           {NID_ext_key_usage, coordinator ? "serverAuth" : "clientAuth"},
           {NID_subject_key_identifier, "hash"},
           {NID_authority_key_identifier, "keyid:always"},
           {NID_subject_alt_name, names}}) ||
      X509_sign(x509, key.get(), EVP_sha256()) <= 0) {
    return OpenSslError("cannot sign the certificate");
  }
  return CertificatePem(x509);
}

}  // namespace hilum
