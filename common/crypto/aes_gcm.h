// SPDX-License-Identifier: Apache-2.0
// Authenticated encryption with AES-256-GCM (NIST SP 800-38D).
//
// Never repeat a nonce under one key: a repetition reveals the XOR of two
// plaintexts and lets an observer forge. Random nonces are good for 2^32
// messages under one key (section 8.3). The associated data is authenticated,
// not hidden: put the ciphertext's context into it (study, round, sender,
// receiver), so that it is valid nowhere else.
#ifndef HILUM_COMMON_CRYPTO_AES_GCM_H_
#define HILUM_COMMON_CRYPTO_AES_GCM_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/crypto/secret.h"

namespace hilum {

inline constexpr size_t kAes256KeySize = 32;
inline constexpr size_t kGcmNonceSize = 12;
inline constexpr size_t kGcmTagSize = 16;

// Returns the ciphertext, as long as `plaintext`, and the tag behind it.
// Plaintext and associated data have less than 2^31 bytes each; `key32` and
// `nonce12` have the sizes above.
std::string SealAes256Gcm(const SecretBytes& key32, absl::string_view nonce12,
                          absl::string_view plaintext,
                          absl::string_view associated_data);

// Returns the plaintext. UNAUTHENTICATED: `sealed` is shorter than a tag, or
// `sealed`, the nonce, the associated data or the key was changed; nothing of
// the plaintext is returned. INVALID_ARGUMENT: the nonce has another size.
absl::StatusOr<SecretBytes> OpenAes256Gcm(const SecretBytes& key32,
                                          absl::string_view nonce12,
                                          absl::string_view sealed,
                                          absl::string_view associated_data);

// Decrypts `text`, a ciphertext without its tag, in the caller's memory. For
// large data that is opened often. Errors: the same as OpenAes256Gcm; `text` is
// then all zeros.
absl::Status OpenAes256GcmInPlace(const SecretBytes& key32,
                                  absl::string_view nonce12,
                                  absl::string_view tag16,
                                  absl::string_view associated_data,
                                  absl::Span<uint8_t> text);

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_AES_GCM_H_
