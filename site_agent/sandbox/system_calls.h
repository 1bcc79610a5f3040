// SPDX-License-Identifier: Apache-2.0
// Groups of the kernel's system calls, by name.
#ifndef HILUM_SITE_AGENT_SANDBOX_SYSTEM_CALLS_H_
#define HILUM_SITE_AGENT_SANDBOX_SYSTEM_CALLS_H_

#include "absl/types/span.h"

namespace hilum {

// Returns the calls for computing, own files, own threads and inherited
// sockets: LibTorch, OpenMP, gRPC, DCMTK and SQLite need them. None of them
// reaches another process. Calls whose arguments matter too are in seccomp.cc.
absl::Span<const char* const> CallsOfEverybody();

// Returns the further calls of CUDA's libraries; Landlock decides which devices
// may be opened.
absl::Span<const char* const> CallsOfDevices();

// Returns the calls for meeting other processes over TCP, UDP and netlink,
// without listening. Looking up a host name needs a bound socket.
absl::Span<const char* const> CallsOfClients();
absl::Span<const char* const> CallsOfListeners();

// Returns the calls for watching folders (inotify).
absl::Span<const char* const> CallsOfWatchers();

// Returns calls that neither Hilum nor its libraries use. Only an attack on the
// kernel makes them; they kill the process.
absl::Span<const char* const> CallsOfAttackers();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_SYSTEM_CALLS_H_
