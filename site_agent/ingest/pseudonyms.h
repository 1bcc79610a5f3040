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

// Makes pseudonyms for patients, studies and cases with the site's own key:
// HMAC-SHA-256 (RFC 2104) over kind, a NUL and the value. Nobody without the
// key can check a guessed id. Thread-safe.
class Pseudonyms {
 public:
  // Reads the key from a file of 64 hexadecimal digits; makes the file, 0600
  // and synced, if it is missing. INVALID_ARGUMENT: another content.
  // PERMISSION_DENIED: readable by others than its owner.
  static absl::StatusOr<Pseudonyms> FromKeyFile(const std::string& path,
                                                SecureRng& rng);

  // Returns 32 raw bytes; empty for an empty value.
  std::string Of(absl::string_view kind, absl::string_view value) const;
  // Returns the first `digits` hexadecimal digits.
  std::string Short(absl::string_view kind, absl::string_view value,
                    size_t digits) const;
  // Returns a patient's pseudonym. PS3.3 C.7.1.1 identifies a patient by Issuer
  // of Patient ID (0010,0021) and Patient ID (0010,0020); both go through
  // NormalPatientId. 32 digits; empty for an empty id.
  std::string Patient(absl::string_view issuer, absl::string_view id) const;

 private:
  explicit Pseudonyms(SecretBytes key) : key_(std::move(key)) {}

  SecretBytes key_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_INGEST_PSEUDONYMS_H_
