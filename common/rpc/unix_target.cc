// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/unix_target.h"

#include "absl/strings/ascii.h"

namespace hilum {

std::string UnixTarget(absl::string_view path) {
  constexpr absl::string_view kUnreserved = "-._~/";
  constexpr absl::string_view kDigits = "0123456789ABCDEF";
  std::string target = "unix:";
  for (char c : path) {
    const auto byte = static_cast<uint8_t>(c);
    if (absl::ascii_isalnum(byte) ||
        kUnreserved.find(c) != absl::string_view::npos) {
      target += c;
    } else {
      target += '%';
      target += kDigits[byte >> 4];
      target += kDigits[byte & 15];
    }
  }
  return target;
}

}  // namespace hilum
