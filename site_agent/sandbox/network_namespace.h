// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_NETWORK_NAMESPACE_H_
#define HILUM_SITE_AGENT_SANDBOX_NETWORK_NAMESPACE_H_

#include "absl/status/status.h"

namespace hilum {

// Moves this thread, and the processes it forks, to a network namespace without
// interfaces; returns whether the kernel allowed it. Most kernels allow root
// alone. Other threads stay where they are.
bool TryLeaveNetwork();

// Moves this thread to a network namespace with a loopback that only this
// process and its children have. A user without privileges becomes root of a
// new user namespace; the process must then have one thread. UNAVAILABLE:
// refused.
absl::Status LeaveNetworkForOwnLoopback();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_NETWORK_NAMESPACE_H_
