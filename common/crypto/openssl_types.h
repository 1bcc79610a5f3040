// SPDX-License-Identifier: Apache-2.0
// Owners for OpenSSL's objects. Only for sources that include OpenSSL.
#ifndef HILUM_COMMON_CRYPTO_OPENSSL_TYPES_H_
#define HILUM_COMMON_CRYPTO_OPENSSL_TYPES_H_

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "absl/strings/string_view.h"

namespace hilum {

template <auto kFree>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using UniqueBio = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;
using UniqueKey = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using UniqueX509 = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using UniqueRequest = std::unique_ptr<X509_REQ, OpenSslFree<X509_REQ_free>>;

inline UniqueBio MemoryBio(absl::string_view data) {
  return UniqueBio(BIO_new_mem_buf(data.data(), static_cast<int>(data.size())));
}

// Reads the object; null where there is none. An encrypted key counts as none:
// nobody is asked for a pass phrase.
inline UniqueX509 ReadCertificatePem(absl::string_view pem) {
  return UniqueX509(
      PEM_read_bio_X509(MemoryBio(pem).get(), nullptr, nullptr, nullptr));
}
inline UniqueKey ReadPrivateKeyPem(absl::string_view pem) {
  char no_pass_phrase[] = "";
  return UniqueKey(PEM_read_bio_PrivateKey(MemoryBio(pem).get(), nullptr,
                                           nullptr, no_pass_phrase));
}

inline bool IsP256(const EVP_PKEY* key) {
  char group[64];
  size_t size = 0;
  return EVP_PKEY_is_a(key, "EC") &&
         EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         OBJ_txt2nid(group) == NID_X9_62_prime256v1;
}

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_OPENSSL_TYPES_H_
