// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_TRAINER_SANDBOX_H_
#define HILUM_SITE_AGENT_TRAINER_SANDBOX_H_

#include "absl/status/status.h"

namespace hilum {

// Takes the network from this process for good, all its threads and
// children: the kernel answers EPERM to socket() and socketpair() of any
// family but AF_UNIX, to io_uring_setup (sockets by another door) and to
// ptrace (another process's sockets). Moves to an empty network namespace
// too where the kernel allows it, which needs a process with one thread.
// Call before the first image is opened. UNAVAILABLE: no seccomp here; the
// process must not go on.
absl::Status DenyNetwork();

// The same, but for a loopback that nobody outside this process and its
// children has: the processes that share batches meet over it (AF_INET and
// AF_NETLINK, in a network namespace of its own without another interface).
// UNAVAILABLE also: the kernel does not let this user have one.
absl::Status DenyNetworkButOwnLoopback();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SANDBOX_H_
