// SPDX-License-Identifier: Apache-2.0
// The authority's list of the certificates that it has issued: a CSV file of
// mode 0600 beside its key, one line a certificate. Lines are appended and
// never changed.
#ifndef HILUM_CERTS_ISSUANCE_LIST_H_
#define HILUM_CERTS_ISSUANCE_LIST_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file.h"

namespace hilum {

struct IssuedCertificate {
  std::string serial;  // hexadecimal
  std::string name;    // "coordinator" for the coordinator
  std::string role;    // "site" or "coordinator"
  std::string key;     // hexadecimal, SHA-256 of the public key
  std::vector<std::string> hosts;
  std::string not_after;  // RFC 3339, UTC
  std::string kind;       // "new", "renewed" or "replaced"
};

// Life: Make once for an authority; then for every certificate Open, Kind,
// Append. An object holds the list's lock: one process issues at a time. Not
// thread-safe.
class IssuanceList {
 public:
  // Makes the empty list of a new authority. Replaces a file at `path`.
  static absl::Status Make(const std::string& path);

  // Reads the list. FAILED_PRECONDITION: there is none; UNAVAILABLE: another
  // process has it open; PERMISSION_DENIED: others may read or change it;
  // DATA_LOSS: a line is not one of the list's.
  static absl::StatusOr<IssuanceList> Open(const std::string& path);

  // Returns the kind of a certificate with this role, name and key: "new" for a
  // name that was never issued, "renewed" for the name's present key,
  // "replaced" for another key where `replace` allows it. ALREADY_EXISTS: the
  // name has another key and `replace` is false, or the key has another name.
  // INVALID_ARGUMENT: `replace` is set, but there is nothing to replace.
  absl::StatusOr<std::string> Kind(absl::string_view role,
                                   absl::string_view name,
                                   absl::string_view key, bool replace) const;

  // Adds a line; it is on disk when this returns. Call before the certificate
  // is given out, so that each certificate has its line.
  absl::Status Append(const IssuedCertificate& certificate);

  const std::vector<IssuedCertificate>& issued() const { return issued_; }

 private:
  IssuanceList(std::string path, ScopedFd file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  ScopedFd file_;
  std::vector<IssuedCertificate> issued_;
};

}  // namespace hilum

#endif  // HILUM_CERTS_ISSUANCE_LIST_H_
