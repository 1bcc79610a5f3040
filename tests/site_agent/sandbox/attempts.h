// SPDX-License-Identifier: Apache-2.0
// What code that was injected into a process tries, to get out of it.
#ifndef HILUM_TESTS_SITE_AGENT_SANDBOX_ATTEMPTS_H_
#define HILUM_TESTS_SITE_AGENT_SANDBOX_ATTEMPTS_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace hilum {

// The gateway beside the process that turns hostile, of the same user.
struct Target {
  pid_t pid = -1;
  uint64_t secret_address = 0;  // of 16 bytes in its memory
  int pid_fd = -1;              // of pidfd_open, opened in time
  int its_socket = -1;          // the number of a descriptor there
};

// Files of a site.
struct SiteFolder {
  std::string path;
  std::string Ledger() const { return path + "/ledger.jsonl"; }
  std::string Approval() const { return path + "/approvals/" + "ab.approved"; }
  std::string Key() const { return path + "/site.key"; }
  std::string Work() const { return path + "/trainer"; }
  std::string Blobs() const { return path + "/blobs"; }
};

// 0 where an attempt succeeds, else its errno.
using Outcomes = std::map<std::string, int>;

// On another process: ptrace, process_vm_readv, /proc/PID/mem and environ, and
// with a pid_fd pidfd_getfd.
Outcomes TryProcess(const Target& target);
// pidfd_open, kill(PID, 0).
Outcomes TryReach(const Target& target);
// On the network: socket of several families, connect of an INET and of a Unix
// socket that were made in time (-1: none).
Outcomes TryNetwork(int inet_socket, int unix_socket, uint16_t port,
                    const std::string& unix_path);
// execve, execveat.
Outcomes TryPrograms();
// The ledger, the approvals, the key; links, modes.
Outcomes TryFiles(const SiteFolder& site);

// On a socket: setsockopt of SO_PASSRIGHTS and ioctl of a terminal's input, by
// system calls whose argument has a bit in the half that the kernel does not
// look at. The kernel itself answers the latter ENOTTY.
Outcomes TryUpperHalves(int unix_socket);
// What makes a process: fork and vfork by their system calls, clone of one that
// shares the memory, and fork of the C library, which is a clone.
Outcomes TryProcesses();

// Sends a descriptor over a Unix socket (SCM_RIGHTS): 0 or errno.
int SendDescriptor(int to, int fd);

// What `run` gives in a child process as this user, or as nobody where this is
// root; empty where the child died. As a program that a user starts, it is
// dumpable.
Outcomes InUsersChild(const std::function<Outcomes()>& run);
// The signal that ends such a child; 0: none.
int SignalOfUsersChild(const std::function<void()>& run);
// Becomes nobody where this is root; exits where that fails.
void BecomeUser();

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_SANDBOX_ATTEMPTS_H_
