// SPDX-License-Identifier: Apache-2.0
// What hilum-certs' subcommands share: words for requests and certificates.
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

// "site" or "coordinator".
std::string RoleOf(const RequestedName& name);
// The site's name, or "coordinator".
std::string NameOf(const RequestedName& name);

// Lines for a person.
std::string DescribeRequest(const ReceivedRequest& request);
// INVALID_ARGUMENT: no PEM certificate.
absl::StatusOr<std::string> DescribeCertificate(
    const std::string& certificate_pem);

// ALREADY_EXISTS where one of the files is there and `force` is false.
absl::Status CheckFree(const std::vector<std::string>& paths, bool force);

// `status` with the path before its message, where the message lacks it.
absl::Status Naming(const std::string& path, const absl::Status& status);

}  // namespace hilum

#endif  // HILUM_CERTS_DESCRIBE_H_
