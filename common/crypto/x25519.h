// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_X25519_H_
#define HILUM_COMMON_CRYPTO_X25519_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/secret.h"
#include "common/crypto/secure_rng.h"

namespace hilum {

inline constexpr size_t kX25519KeySize = 32;  // private, public and shared

// A Diffie-Hellman key pair over Curve25519. One object is one key, wiped with
// it. The agreed secret is not a uniform key: pass it through HkdfSha256 with
// both public keys in `info`. It authenticates nobody: sign the public keys.
// Thread-safe.
// Source: RFC 7748, section 5 (the function) and 6.1 (the exchange).
class X25519KeyPair {
 public:
  static X25519KeyPair Generate(SecureRng& rng);
  // Any 32 bytes are a private key; they are clamped in use (RFC 7748, section
  // 5). INVALID_ARGUMENT: not 32 bytes.
  static absl::StatusOr<X25519KeyPair> FromPrivate(
      const SecretBytes& private_key);

  ~X25519KeyPair();
  X25519KeyPair(X25519KeyPair&&) noexcept;
  X25519KeyPair& operator=(X25519KeyPair&&) noexcept;

  const std::string& public_key() const { return public_key_; }  // 32 raw bytes
  const SecretBytes& private_key() const { return private_key_; }

  // Returns the 32 bytes shared with the bearer of `peer_public`.
  // INVALID_ARGUMENT: not 32 bytes, or a point of small order, whose shared
  // secret is zero with any private key (RFC 7748, section 6.1).
  absl::StatusOr<SecretBytes> Agree(absl::string_view peer_public) const;

 private:
  struct Key;
  X25519KeyPair(std::unique_ptr<Key> key, SecretBytes private_key,
                std::string public_key);

  std::unique_ptr<Key> key_;
  SecretBytes private_key_;
  std::string public_key_;
};

// Returns whether Agree accepts the key. False: not 32 bytes, or a point of
// small order.
bool IsX25519PublicKey(absl::string_view key);

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_X25519_H_
