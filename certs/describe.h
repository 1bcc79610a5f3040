// SPDX-License-Identifier: Apache-2.0
// Descriptions of requests and certificates, shared by hilum-certs'
// subcommands.
#ifndef HILUM_CERTS_DESCRIBE_H_
#define HILUM_CERTS_DESCRIBE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "certs/authority.h"

namespace hilum {

inline constexpr uint64_t kMaxPem = 64 << 10;
inline constexpr char kIssuanceFile[] = "issued.csv";

// Returns "site" or "coordinator".
std::string RoleOf(const RequestedName& name);
// Returns the site's name, or "coordinator".
std::string NameOf(const RequestedName& name);

// Returns lines for a person.
std::string DescribeRequest(const ReceivedRequest& request);
// INVALID_ARGUMENT: no PEM certificate.
absl::StatusOr<std::string> DescribeCertificate(
    const std::string& certificate_pem);

// Returns ALREADY_EXISTS where one of the files exists and `force` is false.
absl::Status CheckFree(const std::vector<std::string>& paths, bool force);

// Returns `status` with the path before its message, where the message lacks
// it.
absl::Status Naming(const std::string& path, const absl::Status& status);

}  // namespace hilum

#endif  // HILUM_CERTS_DESCRIBE_H_
