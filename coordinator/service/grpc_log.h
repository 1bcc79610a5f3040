// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_GRPC_LOG_H_
#define HILUM_COORDINATOR_SERVICE_GRPC_LOG_H_

namespace hilum {

// Bounds what gRPC writes to standard error: it has a line for each failed
// handshake, and a flood of them would fill the disk with its log. Ten lines
// in ten seconds stay, of the whole process. Call before gRPC is used.
void LimitGrpcLog();

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_GRPC_LOG_H_
