// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_RPC_UNIX_TARGET_H_
#define HILUM_COMMON_RPC_UNIX_TARGET_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

// Returns gRPC's name for a Unix socket's path: a URI (RFC 3986) whose path is
// percent-encoded, so that '#', '?', '%' and blanks stay parts of it.
std::string UnixTarget(absl::string_view path);

}  // namespace hilum

#endif  // HILUM_COMMON_RPC_UNIX_TARGET_H_
