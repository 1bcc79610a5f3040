// SPDX-License-Identifier: Apache-2.0
// The kernel's calls by name, in groups.
#ifndef HILUM_SITE_AGENT_SANDBOX_SYSTEM_CALLS_H_
#define HILUM_SITE_AGENT_SANDBOX_SYSTEM_CALLS_H_

#include "absl/types/span.h"

namespace hilum {

// What computing, its own files, its own threads and the sockets that it
// inherited take: LibTorch, OpenMP, gRPC, DCMTK, SQLite. None of them reaches
// another process. Those whose arguments matter too are in seccomp.cc.
absl::Span<const char* const> CallsOfEverybody();

// What CUDA's libraries take besides (devices are opened by Landlock's leave).
absl::Span<const char* const> CallsOfDevices();

// What meeting other processes over TCP, UDP and netlink takes (names of hosts
// are asked for from a bound socket); without listening.
absl::Span<const char* const> CallsOfClients();
absl::Span<const char* const> CallsOfListeners();

// Changed notice of folders (inotify).
absl::Span<const char* const> CallsOfWatchers();

// What nothing here has a use for, nor any library: only an attack on the
// kernel makes them, and the process is killed.
absl::Span<const char* const> CallsOfAttackers();

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_SYSTEM_CALLS_H_
