// SPDX-License-Identifier: Apache-2.0
#include "common/base/ids.h"

namespace hilum {

absl::string_view SoftwareVersion() { return "0.1.0"; }

bool IsValidName(absl::string_view name) {
  if (name.empty() || name.size() > 63) return false;
  if (name.front() == '-' || name.back() == '-') return false;
  for (char c : name) {
    bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (!good) return false;
  }
  return true;
}

}  // namespace hilum
