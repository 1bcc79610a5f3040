// SPDX-License-Identifier: Apache-2.0
// Reads a secret in hexadecimal, the form of published test vectors.
#ifndef HILUM_TESTS_SUPPORT_HEX_SECRET_H_
#define HILUM_TESTS_SUPPORT_HEX_SECRET_H_

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "common/crypto/byte_view.h"
#include "common/crypto/secret.h"

namespace hilum {

inline std::string FromHex(absl::string_view hex) {
  return absl::HexStringToBytes(hex);
}

inline SecretBytes SecretFromHex(absl::string_view hex) {
  return SecretBytes::FromBytes(AsBytes(FromHex(hex)));
}

inline std::string HexOf(const SecretBytes& secret) {
  return absl::BytesToHexString(AsText(secret.ExposeBytes()));
}

}  // namespace hilum

#endif  // HILUM_TESTS_SUPPORT_HEX_SECRET_H_
