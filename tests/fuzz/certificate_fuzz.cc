// SPDX-License-Identifier: Apache-2.0
// Fuzzes certificates and requests. The first byte says what the others are:
// PEM (0), a certificate in DER (1), or a request in DER (2). A request is
// signed anew, since with a broken signature its names are never read.
#include <openssl/x509.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "certs/authority.h"
#include "common/crypto/certificate.h"
#include "common/crypto/openssl_types.h"
#include "tests/fuzz/input.h"

namespace hilum {
namespace {

// The certificate of an authority whose key is lost; corpus/certificate has a
// site's and a coordinator's certificate that it signed.
constexpr char kAuthority[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBrTCCAVOgAwIBAgIQdQPOoi/LS5p2RK1NuLQKvDAKBggqhkjOPQQDAjA1MQ4w\n"
    "DAYDVQQKDAVsdW5nczEjMCEGA1UEAwwabHVuZ3MgY29uc29ydGl1bSBhdXRob3Jp\n"
    "dHkwHhcNMjYxMTI1MTk1NTE0WhcNMzYxMTI1MTk1NTE0WjA1MQ4wDAYDVQQKDAVs\n"
    "dW5nczEjMCEGA1UEAwwabHVuZ3MgY29uc29ydGl1bSBhdXRob3JpdHkwWTATBgcq\n"
    "hkjOPQIBBggqhkjOPQMBBwNCAARZAUzNJQ0XpqslZ8hCw4x97RxqbTYvOuOvTbKL\n"
    "75BSLvAT24Umat1jekwhJGezFQ4ZaYEJYCMV9ORNecWBK6bjo0UwQzASBgNVHRMB\n"
    "Af8ECDAGAQH/AgEAMA4GA1UdDwEB/wQEAwIBBjAdBgNVHQ4EFgQU6bvRv7P6V//S\n"
    "U4LRytt3ZMl5pgswCgYIKoZIzj0EAwIDSAAwRQIhAIcdeulR+7VVyoMVsH3/esYP\n"
    "n/nM0vzexvFZ3clOXK0UAiBbinnmtYLDXp80ihis+yATdrIOeSF2oKiDjHmIDdk+\n"
    "2A==\n"
    "-----END CERTIFICATE-----\n";
const absl::Time kNow = absl::FromUnixSeconds(1796000000);

std::string Pem(const std::string& kind, const std::string& der) {
  const std::string text = absl::Base64Escape(der);
  std::string pem = "-----BEGIN " + kind + "-----\n";
  for (size_t at = 0; at < text.size(); at += 64) {
    pem += text.substr(at, 64) + "\n";
  }
  return pem + "-----END " + kind + "-----\n";
}

std::string SignAnew(const std::string& der) {
  static EVP_PKEY* const key = EVP_EC_gen("P-256");
  const unsigned char* at = reinterpret_cast<const unsigned char*>(der.data());
  const UniqueRequest request(
      d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  unsigned char* bytes = nullptr;
  if (request == nullptr || X509_REQ_set_pubkey(request.get(), key) != 1 ||
      X509_REQ_sign(request.get(), key, EVP_sha256()) <= 0) {
    return der;
  }
  const int size = i2d_X509_REQ(request.get(), &bytes);
  const std::string again(reinterpret_cast<char*>(bytes),
                          static_cast<size_t>(std::max(size, 0)));
  OPENSSL_free(bytes);
  return again;
}

void CheckAll(const std::string& pem) {
  absl::StatusOr<CertificateInfo> info = ParseCertificate(pem);
  if (info.ok()) (void)CertificateBearer(*info);
  for (const std::string& authority : {std::string(kAuthority), pem}) {
    absl::StatusOr<BearerName> bearer =
        CheckCertificate(authority, pem, "ca.crt", "own.crt", kNow);
    HILUM_CHECK(bearer.ok() || absl::IsUnauthenticated(bearer.status()));
    if (bearer.ok()) {
      HILUM_CHECK(ParseBearerUri(BearerUri(*bearer))->site == bearer->site);
    }
  }
}

void CheckRequest(const std::string& pem) {
  absl::StatusOr<RequestedName> name = ReadRequest(pem);
  if (!name.ok()) return;
  HILUM_CHECK(name->site.empty() != name->hosts.empty());
  for (const std::string& host : name->hosts) {
    HILUM_CHECK(std::all_of(host.begin(), host.end(), [](unsigned char c) {
      return absl::ascii_isalnum(c) || c == '.' || c == ':' || c == '-';
    }));
  }
}

}  // namespace
}  // namespace hilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hilum;
  FuzzInput input(data, size);
  const uint8_t kind = input.Byte() % 3;
  const std::string bytes = input.Rest();
  if (kind == 2) {
    CheckRequest(Pem("CERTIFICATE REQUEST", SignAnew(bytes)));
    return 0;
  }
  const std::string pem = kind == 0 ? bytes : Pem("CERTIFICATE", bytes);
  CheckAll(pem);
  CheckRequest(pem);
  (void)ParseBearerUri(bytes);
  return 0;
}
