// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/unix_target.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"

namespace hilum {

std::string UnixTarget(absl::string_view path) {
  std::string out = "unix:";
  for (char c : path) {
    if (absl::ascii_isalnum(c) || absl::StrContains("/-._~", c)) {
      out.push_back(c);
    } else {
      absl::StrAppendFormat(&out, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace hilum
