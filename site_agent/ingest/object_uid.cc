// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/object_uid.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"

namespace hilum {
namespace {

constexpr size_t kMaxUid = 64;

bool IsPadding(char c) { return c == '\0' || c == ' '; }

bool IsPlain(char c) { return absl::ascii_isalnum(c) || c == '.' || c == '-'; }

}  // namespace

std::string ObjectUid(absl::string_view text) {
  while (!text.empty() && IsPadding(text.back())) text.remove_suffix(1);
  while (!text.empty() && IsPadding(text.front())) text.remove_prefix(1);
  const bool names = !text.empty() && text.size() <= kMaxUid &&
                     std::all_of(text.begin(), text.end(), [](char c) {
                       return absl::ascii_isprint(c) && c != '\\';
                     });
  return names ? std::string(text) : "";
}

std::string FileNameOfUid(absl::string_view uid) {
  std::string name;
  for (char c : uid) {
    if (IsPlain(c)) {
      name.push_back(c);
    } else {
      absl::StrAppendFormat(&name, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return name;
}

std::string UidOfFileName(absl::string_view name) {
  std::string uid;
  for (size_t i = 0; i < name.size(); ++i) {
    if (IsPlain(name[i])) {
      uid.push_back(name[i]);
      continue;
    }
    const absl::string_view digits =
        name.substr(std::min(i + 1, name.size()), 2);
    if (name[i] != '%' || digits.size() != 2 ||
        !std::all_of(digits.begin(), digits.end(), absl::ascii_isxdigit)) {
      return "";
    }
    uid += absl::HexStringToBytes(digits);
    i += 2;
  }
  return ObjectUid(uid) == uid ? uid : "";
}

bool IsUid(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxUid &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '.' || absl::ascii_isdigit(c); });
}

}  // namespace hilum
