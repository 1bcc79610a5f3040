// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_HKDF_H_
#define HILUM_COMMON_CRYPTO_HKDF_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "common/crypto/secret.h"

namespace hilum {

inline constexpr size_t kMaxHkdfLength = 255 * 32;
inline constexpr size_t kMaxHkdfInfo = 1024;

// Returns `length` bytes that look random without `secret`, independent for
// different `info`: HKDF with SHA-256, extract then expand (RFC 5869, section
// 2). `secret` is not empty, length is 1 to kMaxHkdfLength, `info` at most
// kMaxHkdfInfo bytes; `salt` may be empty and public.
SecretBytes HkdfSha256(const SecretBytes& secret, absl::string_view salt,
                       absl::string_view info, size_t length);

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_HKDF_H_
