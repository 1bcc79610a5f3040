// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_SECURE_RNG_H_
#define HILUM_COMMON_CRYPTO_SECURE_RNG_H_

#include <cstdint>

#include "absl/types/span.h"

namespace hilum {

// Unpredictable bytes for keys, masks and noise; injected, so that a simulation
// can be repeated. Thread-safe.
class SecureRng {
 public:
  virtual ~SecureRng() = default;
  virtual void Fill(absl::Span<uint8_t> bytes) = 0;
};

// Returns OpenSSL's CTR-DRBG (NIST SP 800-90A), seeded by the kernel.
SecureRng& RealSecureRng();

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_SECURE_RNG_H_
