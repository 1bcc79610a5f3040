// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_SANDBOX_CONFINE_H_
#define HILUM_SITE_AGENT_SANDBOX_CONFINE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace hilum {

// The files and devices that a process that decodes or trains needs. Its own
// libraries, the kernel's description of the processor and the inherited
// descriptors are always allowed.
struct Confinement {
  std::vector<std::string> read;   // files, and folders with all below
  std::vector<std::string> write;  // folders that exist
  // Several devices share each batch: the process executes its own program once
  // for each rank, and the ranks meet over a private loopback.
  bool own_loopback = false;
  // CUDA: /dev/nvidia* and their ioctl calls.
  bool gpu = false;
};

// Confines this process, all its threads and its children, until they end:
// hides their memory (dumpable.h), moves them to a network namespace without
// interfaces where the kernel allows one, allows only the files above where the
// kernel has Landlock (landlock.h), and allows only listed system calls
// (seccomp.h). The process can then reach no network, program or other process.
// Call before foreign bytes are read, with the command line unchanged.
//
// Landlock and namespaces bind single threads. If a library has already started
// threads, the program executes itself again, confined, and reaches this call
// anew; before the call it must do nothing that must not happen twice.
// UNAVAILABLE: no seccomp here, or with own_loopback no namespace for this
// user; the process must not go on.
absl::Status Confine(const Confinement& confinement);

// Confines the gateway: it may use all below state_dir, the files to read, the
// libraries, and /etc (host names, certificate authorities). It has a network,
// but may listen on no TCP port and start no program, so the process that
// starts the trainer must already run (trainer_launcher.h). Call with one
// thread. Errors as Confine.
absl::Status ConfineGateway(const std::string& state_dir,
                            const std::vector<std::string>& read);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_SANDBOX_CONFINE_H_
