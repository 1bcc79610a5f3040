// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_SECCOMP_H_
#define HILUM_SITE_AGENT_SANDBOX_SECCOMP_H_

#include <vector>

#include "absl/status/status.h"

namespace hilum {

// What a process may ask of the kernel beyond computing, its files and the
// sockets that it inherited.
struct SystemCallRules {
  std::vector<int> families;  // of socket(); empty: no socket
  bool listens = false;       // listen, accept
  // execve, vfork, socketpair, kill of children; else no process that shares
  // its parent's memory (fork stays).
  bool executes = false;
  bool signals = false;  // kill of other processes
  bool devices = false;  // CUDA: any ioctl but a terminal's input
  bool watches = false;  // inotify
};

// Lets this process, all its threads and children, make these calls alone, for
// good (seccomp with an allow-list, and no_new_privs). Every other call answers
// EPERM; clone3 and openat2, whose arguments a filter cannot see and which the
// libraries do without, ENOSYS; what only an attack on the kernel makes
// (system_calls.h, CallsOfAttackers), and calls of another architecture, kill
// the process (SIGSYS). Among those refused: socket, connect, bind, listen,
// execve, execveat, ptrace, process_vm_*, pidfd_*, io_uring_*, namespaces,
// signals to others, chmod, links, and SO_PASSRIGHTS.
// Holds on every kernel with seccomp (3.17 on). UNAVAILABLE: none here; the
// process must not go on.
absl::Status AllowSystemCalls(const SystemCallRules& rules);

// Whether a filter holds for this process now.
bool SystemCallsAreFiltered();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_SECCOMP_H_
