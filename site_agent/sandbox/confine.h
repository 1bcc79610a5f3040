// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_CONFINE_H_
#define HILUM_SITE_AGENT_SANDBOX_CONFINE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace hilum {

// What a process that decodes or trains needs besides its own libraries, the
// kernel's description of the processor, and the descriptors that it inherited.
struct Confinement {
  std::vector<std::string> read;   // files, and folders with all below
  std::vector<std::string> write;  // folders that are there
  // Several devices share each batch: it starts programs of its own file, and
  // they meet over a loopback that nobody else has.
  bool own_loopback = false;
  // CUDA: /dev/nvidia* and their ioctl.
  bool gpu = false;
};

// Confines this process for good, all its threads and children: memory hidden
// (dumpable.h), a network namespace without interfaces where the kernel allows
// it, the files above and no others where it has Landlock (landlock.h), an
// allow-list of system calls (seccomp.h). No network, no program, no other
// process is then in its reach.
// Call before the first foreign byte is read, with the command line untouched.
// Landlock and namespaces bind single threads: where a library has started some
// already, the program executes itself again, confined, and gets here anew; it
// must have done nothing yet that it may not do twice.
// UNAVAILABLE: no seccomp here, or with own_loopback no namespace for this
// user; the process must not go on.
absl::Status Confine(const Confinement& confinement);

// The gateway's: all below state_dir, and the files to read; of the system the
// libraries and what is in /etc (names of hosts, authorities). Network, but no
// TCP port to listen on; no program at all, so what starts the trainer must run
// already (trainer_launcher.h). Call with one thread; otherwise as Confine.
absl::Status ConfineGateway(const std::string& state_dir,
                            const std::vector<std::string>& read);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_CONFINE_H_
