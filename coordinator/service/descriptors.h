// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_DESCRIPTORS_H_
#define HILUM_COORDINATOR_SERVICE_DESCRIPTORS_H_

#include <cstddef>

namespace hilum {

// Raises the limit of open files (RLIMIT_NOFILE) of this process as far as it
// may, and returns it. Call before the first connection.
size_t RaiseDescriptorLimit();

// The limit as it stands.
size_t DescriptorLimit();

// Descriptors that connections of sites leave to the rest of the process:
// the database, blobs and uploads, event queues, the admin socket.
inline constexpr size_t kDescriptorsKept = 96;

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_DESCRIPTORS_H_
