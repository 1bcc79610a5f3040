// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_LANDLOCK_H_
#define HILUM_SITE_AGENT_SANDBOX_LANDLOCK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace hilum {

// What the running kernel has of Landlock: 0 nothing (before 5.13, or switched
// off); 1 files; 2 rename between folders; 3 truncation (6.2); 4 TCP ports
// (6.7); 5 device ioctl (6.10); 6 signals and abstract Unix sockets (6.12).
int LandlockVersion();

// Paths, of files or of folders with all below them. Those that are not there
// are left out.
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

// Lets this thread, and the threads and processes that it starts, open these
// files alone, for good; the kernel answers EACCES to every other open, and to
// making links, devices and sockets as files. From version 4 on, no TCP port
// but by `scope` (EACCES), even with a socket that somebody handed over; from 6
// on, no signal to a process outside (EPERM) nor an abstract Unix socket's
// connection. Not held: mode, owner and times of files, stat, chdir.
// Does nothing where LandlockVersion() is 0. Call with one thread. UNAVAILABLE:
// the kernel refused.
absl::Status RestrictFiles(const FileAccess& files, const LandlockScope& scope);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_LANDLOCK_H_
