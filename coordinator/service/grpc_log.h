// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_GRPC_LOG_H_
#define HILUM_COORDINATOR_SERVICE_GRPC_LOG_H_

namespace hilum {

// Limits gRPC's output to standard error: it writes a line for each failed
// handshake, and a flood of them would fill the disk. Allows ten lines in ten
// seconds for the whole process. Call before gRPC is used.
void LimitGrpcLog();

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_GRPC_LOG_H_
