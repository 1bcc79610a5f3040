// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_CRYPTO_SHORT_HASH_H_
#define HILUM_COMMON_CRYPTO_SHORT_HASH_H_

#include <string>

#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"

namespace hilum {

// Returns the first twelve hexadecimal digits of a raw hash, as people read it
// in logs and type it in commands.
inline std::string ShortHash(absl::string_view hash) {
  return ToHex(hash).substr(0, 12);
}

}  // namespace hilum

#endif  // HILUM_COMMON_CRYPTO_SHORT_HASH_H_
