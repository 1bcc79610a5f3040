// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/pseudonyms.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/patient_id.h"
#include "common/base/private_file.h"
#include "common/base/status_macros.h"
#include "common/crypto/byte_view.h"
#include "common/crypto/sha256.h"

namespace hilum {
namespace {

constexpr size_t kKeyBytes = 32;

absl::Status MakeKey(const std::string& path, SecureRng& rng) {
  const SecretBytes key = SecretBytes::Random(rng, kKeyBytes);
  return WriteFileAtomically(path, ToHex(AsText(key.ExposeBytes())) + "\n",
                             Durability::kSync, 0600);
}

}  // namespace

absl::StatusOr<Pseudonyms> Pseudonyms::FromKeyFile(const std::string& path,
                                                   SecureRng& rng) {
  if (!FileExists(path)) HILUM_RETURN_IF_ERROR(MakeKey(path, rng));
  HILUM_RETURN_IF_ERROR(CheckPrivateFile(path, "the patients' key"));
  HILUM_ASSIGN_OR_RETURN(std::string text, ReadFile(path, 1024));
  const absl::string_view hex = absl::StripAsciiWhitespace(text);
  if (hex.size() != 2 * kKeyBytes ||
      !std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path,
                     ": not a key of 64 hexadecimal digits; bring the "
                     "file back from a backup"));
  }
  return Pseudonyms(
      SecretBytes::FromBytes(AsBytes(absl::HexStringToBytes(hex))));
}

std::string Pseudonyms::Of(absl::string_view kind,
                           absl::string_view value) const {
  if (value.empty()) return "";
  return HmacSha256(AsText(key_.ExposeBytes()),
                    absl::StrCat(kind, absl::string_view("\0", 1), value));
}

std::string Pseudonyms::Short(absl::string_view kind, absl::string_view value,
                              size_t digits) const {
  return ToHex(Of(kind, value)).substr(0, digits);
}

std::string Pseudonyms::Patient(absl::string_view issuer,
                                absl::string_view id) const {
  const std::string by = NormalPatientId(issuer), of = NormalPatientId(id);
  if (of.empty()) return "";
  // The length keeps (A, BC) apart from (AB, C).
  return Short("patient", absl::StrCat(by.size(), ":", by, of), 32);
}

}  // namespace hilum
