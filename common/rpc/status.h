// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_RPC_STATUS_H_
#define HILUM_COMMON_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace hilum {

// Convert statuses. The canonical codes have the same numbers on both sides. A
// cause (cause.h) goes along; the caller decides whether to trust the other
// side.
grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace hilum

#endif  // HILUM_COMMON_RPC_STATUS_H_
