// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_RPC_UNIX_TARGET_H_
#define HILUM_COMMON_RPC_UNIX_TARGET_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hilum {

// Returns gRPC's address of a Unix socket, for servers and channels: a URI, in
// which characters of a path such as #, ? and % are encoded (RFC 3986 section
// 2.1).
std::string UnixTarget(absl::string_view path);

}  // namespace hilum

#endif  // HILUM_COMMON_RPC_UNIX_TARGET_H_
