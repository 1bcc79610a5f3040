// SPDX-License-Identifier: Apache-2.0
#include "common/base/key_file.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/hex.h"
#include "common/base/private_file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr size_t kMaxFileBytes = 1024;

}  // namespace

absl::StatusOr<std::string> ReadKeyFile(const std::string& path,
                                        absl::string_view what) {
  HILUM_RETURN_IF_ERROR(CheckPrivateFile(path, what));
  HILUM_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFileBytes));
  std::optional<std::string> key = FromHex(absl::StripAsciiWhitespace(text));
  if (key.has_value() && key->size() == kKeyFileBytes) return *std::move(key);
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", what, " is not ", 2 * kKeyFileBytes,
                   " hexadecimal digits; bring the file back from a backup"));
}

absl::Status WriteKeyFile(const std::string& path, absl::string_view key) {
  return WriteFileAtomically(path,
                             absl::StrCat(absl::BytesToHexString(key), "\n"),
                             Durability::kSync, 0600);
}

absl::StatusOr<std::string> ReadOrMakeKeyFile(
    const std::string& path, absl::string_view what,
    absl::FunctionRef<void(absl::Span<uint8_t>)> fill) {
  if (!FileExists(path)) {
    std::string key(kKeyFileBytes, '\0');
    fill(absl::MakeSpan(reinterpret_cast<uint8_t*>(key.data()), key.size()));
    HILUM_RETURN_IF_ERROR(WriteKeyFile(path, key));
  }
  return ReadKeyFile(path, what);
}

}  // namespace hilum
