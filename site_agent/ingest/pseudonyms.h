// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_INGEST_PSEUDONYMS_H_
#define HILUM_SITE_AGENT_INGEST_PSEUDONYMS_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/crypto/secret.h"
#include "common/crypto/secure_rng.h"

namespace hilum {

// Names for patients, studies and cases under a key of the site's own:
// HMAC-SHA-256 (RFC 2104) over kind, a NUL and the value. Without the key
// nobody can tell whether a name belongs to an id that he guesses.
// Thread-safe.
class Pseudonyms {
 public:
  // The key of a file of 64 hexadecimal digits, which is made, 0600 and on
  // disk, where it is absent. INVALID_ARGUMENT: another content.
  // PERMISSION_DENIED: open to others than its owner.
  static absl::StatusOr<Pseudonyms> FromKeyFile(const std::string& path,
                                                SecureRng& rng);

  // 32 raw bytes; empty for an empty value.
  std::string Of(absl::string_view kind, absl::string_view value) const;
  // As many hexadecimal digits.
  std::string Short(absl::string_view kind, absl::string_view value,
                    size_t digits) const;
  // Names a patient as PS3.3 C.7.1.1 knows him: by Issuer of Patient ID
  // (0010,0021) and Patient ID (0010,0020), each as NormalPatientId has it. 32
  // digits; empty for an empty id.
  std::string Patient(absl::string_view issuer, absl::string_view id) const;

 private:
  explicit Pseudonyms(SecretBytes key) : key_(std::move(key)) {}

  SecretBytes key_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_PSEUDONYMS_H_
