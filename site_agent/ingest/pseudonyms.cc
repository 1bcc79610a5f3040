// SPDX-License-Identifier: Apache-2.0
#include "site_agent/ingest/pseudonyms.h"

#include "absl/strings/str_cat.h"
#include "common/base/key_file.h"
#include "common/base/patient_id.h"
#include "common/base/status_macros.h"
#include "common/crypto/byte_view.h"
#include "common/crypto/sha256.h"

namespace hilum {

absl::StatusOr<Pseudonyms> Pseudonyms::FromKeyFile(const std::string& path,
                                                   SecureRng& rng) {
  HILUM_ASSIGN_OR_RETURN(
      const std::string key,
      ReadOrMakeKeyFile(path, "the patients' key",
                        [&](absl::Span<uint8_t> bytes) { rng.Fill(bytes); }));
  return Pseudonyms(SecretBytes::FromBytes(AsBytes(key)));
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
