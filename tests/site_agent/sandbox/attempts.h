// SPDX-License-Identifier: Apache-2.0
// Attempts of code that was injected into a process to get out of it.
#ifndef HILUM_TESTS_SITE_AGENT_SANDBOX_ATTEMPTS_H_
#define HILUM_TESTS_SITE_AGENT_SANDBOX_ATTEMPTS_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace hilum {

// The gateway, which runs as the same user beside the hostile process.
struct Target {
  pid_t pid = -1;
  uint64_t secret_address = 0;  // 16 bytes in its memory
  int pid_fd = -1;              // from pidfd_open before confinement
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

// Each attempt's errno; 0: it succeeded.
using Outcomes = std::map<std::string, int>;

// Attacks another process: ptrace, process_vm_readv, /proc/PID/mem and environ,
// and with a pid_fd pidfd_getfd.
Outcomes TryProcess(const Target& target);
// Tries pidfd_open and kill(PID, 0).
Outcomes TryReach(const Target& target);
// Tries the network: socket of several families, and connect of an INET and of
// a Unix socket that were made before (-1: none).
Outcomes TryNetwork(int inet_socket, int unix_socket, uint16_t port,
                    const std::string& unix_path);
// Tries execve and execveat.
Outcomes TryPrograms();
// Tries the ledger, the approvals and the key; links, modes.
Outcomes TryFiles(const SiteFolder& site);

// Tries setsockopt of SO_PASSRIGHTS and ioctl of a terminal's input by raw
// system calls. Their argument has a bit in the upper half, which the kernel
// ignores. The kernel itself answers ENOTTY to the ioctl.
Outcomes TryUpperHalves(int unix_socket);
// Tries to make a process: raw fork and vfork, a clone that shares the memory,
// and the C library's fork, which is a clone.
Outcomes TryProcesses();

// Sends a descriptor over a Unix socket (SCM_RIGHTS): 0 or errno.
int SendDescriptor(int to, int fd);

// Returns the result of `run` in a child process as this user, or as nobody
// where this is root; empty where the child died. The child is dumpable, like a
// program that a user starts.
Outcomes InUsersChild(const std::function<Outcomes()>& run);
// Returns the signal that ends such a child; 0: none.
int SignalOfUsersChild(const std::function<void()>& run);
// Becomes nobody where this is root; exits where that fails.
void BecomeUser();

}  // namespace hilum

#endif  // HILUM_TESTS_SITE_AGENT_SANDBOX_ATTEMPTS_H_
