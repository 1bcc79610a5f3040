// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_NETWORK_NAMESPACE_H_
#define HILUM_SITE_AGENT_SANDBOX_NETWORK_NAMESPACE_H_

#include "absl/status/status.h"

namespace hilum {

// Moves this thread, and what it forks, to a network namespace without
// interfaces where the kernel lets this user have one; returns whether it did.
// Most kernels allow root alone. Other threads stay where they are.
bool TryLeaveNetwork();

// The same with a loopback that is this process's and its children's own; as
// root of a user namespace of its own where this user may not have one
// otherwise. Needs a process with one thread then. UNAVAILABLE: refused.
absl::Status LeaveNetworkForOwnLoopback();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_NETWORK_NAMESPACE_H_
