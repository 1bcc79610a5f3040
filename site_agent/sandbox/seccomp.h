// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_SECCOMP_H_
#define HILUM_SITE_AGENT_SANDBOX_SECCOMP_H_

#include <vector>

#include "absl/status/status.h"

namespace hilum {

// The system calls that a process may make besides computing and using its
// files and the sockets that it inherited.
struct SystemCallRules {
  std::vector<int> families;  // of socket(); empty: no socket
  bool listens = false;       // listen, accept
  // Allows execve, vfork, socketpair and kill of children. Without it, no
  // process may share its parent's memory; fork stays allowed.
  bool executes = false;
  bool signals = false;  // kill of other processes
  bool devices = false;  // CUDA: any ioctl but a terminal's input
  bool watches = false;  // inotify
};

// Lets this process, all its threads and children, make only these calls, until
// they end (seccomp with an allow-list, and no_new_privs). Every other call
// answers EPERM. clone3 and openat2 answer ENOSYS: a filter cannot see their
// arguments, and the libraries do without them. Calls that only an attack on
// the kernel makes (system_calls.h, CallsOfAttackers), and calls of another
// architecture, kill the process (SIGSYS). Refused are, among others: socket,
// connect, bind, listen, execve, execveat, ptrace, process_vm_*, pidfd_*,
// io_uring_*, namespaces, signals to others, chmod, links, and SO_PASSRIGHTS.
// Works on every kernel with seccomp (3.17 on). UNAVAILABLE: no seccomp here;
// the process must not go on.
absl::Status AllowSystemCalls(const SystemCallRules& rules);

// Returns whether a filter holds for this process now.
bool SystemCallsAreFiltered();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_SECCOMP_H_
