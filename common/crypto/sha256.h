// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_SHA256_H_
#define HILUM_COMMON_CRYPTO_SHA256_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

// Computes SHA-256 (FIPS 180-4) over bytes given in pieces. One object is one
// digest: Update* Finish. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(absl::string_view data);
  std::string Finish();  // 32 raw bytes

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Returns 32 raw bytes.
std::string Sha256Of(absl::string_view data);

// Returns HMAC-SHA-256 (RFC 2104), 32 raw bytes.
std::string HmacSha256(absl::string_view key, absl::string_view data);

// Returns lower-case hexadecimal.
std::string ToHex(absl::string_view bytes);

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_SHA256_H_
