// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/hkdf.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>

#include "common/base/check.h"
#include "common/crypto/byte_view.h"
#include "common/crypto/openssl_types.h"

namespace hilum {
namespace {

using UniqueKdf = std::unique_ptr<EVP_KDF, OpenSslFree<EVP_KDF_free>>;
using UniqueContext =
    std::unique_ptr<EVP_KDF_CTX, OpenSslFree<EVP_KDF_CTX_free>>;

// Wraps bytes as a parameter. OpenSSL only reads them, and takes no null
// pointer for zero bytes.
OSSL_PARAM Octets(const char* name, absl::Span<const uint8_t> bytes) {
  const void* data =
      bytes.empty() ? "" : static_cast<const void*>(bytes.data());
  return OSSL_PARAM_construct_octet_string(name, const_cast<void*>(data),
                                           bytes.size());
}

}  // namespace

SecretBytes HkdfSha256(const SecretBytes& secret, absl::string_view salt,
                       absl::string_view info, size_t length) {
  HILUM_CHECK(secret.size() > 0 && info.size() <= kMaxHkdfInfo);
  HILUM_CHECK(length > 0 && length <= kMaxHkdfLength);
  UniqueKdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  HILUM_CHECK(kdf != nullptr);
  UniqueContext context(EVP_KDF_CTX_new(kdf.get()));
  HILUM_CHECK(context != nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      Octets(OSSL_KDF_PARAM_KEY, secret.ExposeBytes()),
      Octets(OSSL_KDF_PARAM_SALT, AsBytes(salt)),
      Octets(OSSL_KDF_PARAM_INFO, AsBytes(info)), OSSL_PARAM_construct_end()};
  return SecretBytes::FilledBy(length, [&](absl::Span<uint8_t> bytes) {
    HILUM_CHECK(
        EVP_KDF_derive(context.get(), bytes.data(), bytes.size(), params) == 1);
  });
}

}  // namespace hilum
