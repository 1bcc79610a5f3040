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

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_TRAINER_SANDBOX_H_
