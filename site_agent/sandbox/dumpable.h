// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_DUMPABLE_H_
#define HILUM_SITE_AGENT_SANDBOX_DUMPABLE_H_

#include "absl/status/status.h"

namespace hilum {

// Makes this process not dumpable and takes away its core file, for it and the
// processes that it forks; a program that is executed has to call it again.
// Another process of the same user then gets EPERM from ptrace and
// process_vm_readv, EPERM from pidfd_getfd, and EACCES from /proc/PID/mem.
// Root is not held. Holds on every kernel that Hilum runs on. INTERNAL: the
// kernel refused.
absl::Status HideMemory();

// Returns whether HideMemory holds for this process now.
bool MemoryIsHidden();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_DUMPABLE_H_
