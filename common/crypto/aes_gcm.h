// SPDX-License-Identifier: Apache-2.0
// Authenticated encryption with AES-256-GCM (NIST SP 800-38D).
//
// A nonce never repeats under one key: a repetition reveals the XOR of two
// plaintexts and lets the observer forge. Random nonces are good for 2^32
// messages under one key (section 8.3). The associated data is authenticated,
// not hidden; put into it what the ciphertext must not be carried away from
// (study, round, sender, receiver).
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

// The ciphertext, as long as `plaintext` (less than 2^31 bytes, as is the
// associated data), and the tag behind it. `key32` and `nonce12` have the
// sizes above.
std::string SealAes256Gcm(const SecretBytes& key32, absl::string_view nonce12,
                          absl::string_view plaintext,
                          absl::string_view associated_data);

// What was sealed. UNAUTHENTICATED: `sealed` is shorter than a tag, or it, the
// nonce, the associated data or the key is another than it was sealed with;
// nothing of the plaintext is then given out. INVALID_ARGUMENT: the nonce has
// another size.
absl::StatusOr<SecretBytes> OpenAes256Gcm(const SecretBytes& key32,
                                          absl::string_view nonce12,
                                          absl::string_view sealed,
                                          absl::string_view associated_data);

// For what is large and opened often: `text`, a ciphertext without its tag,
// becomes the plaintext where it lies, in the caller's memory. The errors are
// OpenAes256Gcm's; `text` is then zeros.
absl::Status OpenAes256GcmInPlace(const SecretBytes& key32,
                                  absl::string_view nonce12,
                                  absl::string_view tag16,
                                  absl::string_view associated_data,
                                  absl::Span<uint8_t> text);

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_AES_GCM_H_
