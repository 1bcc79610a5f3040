// SPDX-License-Identifier: Apache-2.0
#include "common/base/hex.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"

namespace hilum {

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

std::optional<std::string> FromHex(absl::string_view hex) {
  if (hex.size() % 2 != 0 || !IsHex(hex)) return std::nullopt;
  return absl::HexStringToBytes(hex);
}

}  // namespace hilum
