// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_SIGNATURE_H_
#define HILUM_COMMON_CRYPTO_SIGNATURE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Signs with an ECDSA P-256 key over SHA-256 (FIPS 186-5); the key stays in
// the object and is wiped with it. Thread-safe.
class Signer {
 public:
  // INVALID_ARGUMENT: no PEM private key, or not of P-256.
  static absl::StatusOr<Signer> Create(absl::string_view private_key_pem);
  ~Signer();
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;

  // DER, at most 72 bytes; differs from call to call.
  std::string Sign(absl::string_view data) const;

 private:
  struct Key;
  explicit Signer(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

// UNAUTHENTICATED: not signed by the certificate's key, or not these bytes.
// INVALID_ARGUMENT: no PEM certificate.
absl::Status VerifySignature(absl::string_view certificate_pem,
                             absl::string_view data,
                             absl::string_view signature);

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_SIGNATURE_H_
