// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_SIGNATURE_H_
#define HILUM_COMMON_CRYPTO_SIGNATURE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Signs with an ECDSA P-256 key over SHA-256 (FIPS 186-5). The object keeps the
// key and wipes it at its end. Thread-safe.
class Signer {
 public:
  // INVALID_ARGUMENT: no PEM private key, or not P-256.
  static absl::StatusOr<Signer> Create(absl::string_view private_key_pem);
  ~Signer();
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;

  // Returns DER, at most 72 bytes; differs from call to call.
  std::string Sign(absl::string_view data) const;

 private:
  struct Key;
  explicit Signer(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

// The public key of a certificate, read once for many signatures: reading takes
// as long as several verifications. Thread-safe; copies share the key.
class CertificateKey {
 public:
  // INVALID_ARGUMENT: no PEM certificate.
  static absl::StatusOr<CertificateKey> Read(absl::string_view certificate_pem);

  // UNAUTHENTICATED: this key did not sign these bytes, or the key is not
  // P-256.
  absl::Status Verify(absl::string_view data,
                      absl::string_view signature) const;

 private:
  struct Key;
  explicit CertificateKey(std::shared_ptr<const Key> key);
  std::shared_ptr<const Key> key_;
};

// Reads the certificate and verifies one signature; errors of both calls.
absl::Status VerifySignature(absl::string_view certificate_pem,
                             absl::string_view data,
                             absl::string_view signature);

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_SIGNATURE_H_
