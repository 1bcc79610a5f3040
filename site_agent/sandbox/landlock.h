// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_LANDLOCK_H_
#define HILUM_SITE_AGENT_SANDBOX_LANDLOCK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace hilum {

// Returns the running kernel's version of Landlock: 0 nothing (before 5.13, or
// switched off); 1 files; 2 rename between folders; 3 truncation (6.2); 4 TCP
// ports (6.7); 5 device ioctl (6.10); 6 signals and abstract Unix sockets
// (6.12).
int LandlockVersion();

// Paths of files, or of folders with all below them. Missing paths are left
// out.
struct FileAccess {
  std::vector<std::string> read;
  std::vector<std::string> write;    // read, make, change, rename, remove
  std::vector<std::string> execute;  // and read; files
  std::vector<std::string> devices;  // read, write, ioctl
};

struct LandlockScope {
  bool binds_tcp = false;
  bool connects_tcp = false;
  bool signals_others = false;
};

// Lets this thread, and the threads and processes that it starts, open only
// these files, until they end. The kernel answers EACCES to every other open,
// and to making links, devices and sockets as files. From version 4 on, TCP
// ports are refused (EACCES) except those in `scope`, even on a socket that
// another process handed over. From version 6 on, signals to outside processes
// (EPERM) and connections to abstract Unix sockets are refused. Not restricted:
// mode, owner and times of files, stat, chdir. Does nothing where
// LandlockVersion() is 0. Call with one thread. UNAVAILABLE: the kernel
// refused.
absl::Status RestrictFiles(const FileAccess& files, const LandlockScope& scope);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_LANDLOCK_H_
