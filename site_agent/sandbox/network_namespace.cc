// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/network_namespace.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace hilum {
namespace {

bool LeaveAsRootOfAnother() {
  const std::string user = absl::StrCat(getuid(), " ", getuid(), " 1");
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  // The kernel gives the /proc files of a hidden process to root.
  const int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  // Maps the user to the same number; without a map it would be nobody.
  ScopedFd map(open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC));
  // Writes in one call without an offset: this file takes no other write.
  const bool mapped =
      map.get() >= 0 && write(map.get(), user.data(), user.size()) ==
                            static_cast<ssize_t>(user.size());
  const int error = errno;
  prctl(PR_SET_DUMPABLE, dumpable == 0 ? 0 : 1, 0, 0, 0);
  errno = error;
  return mapped;
}

absl::Status RaiseLoopback() {
  ScopedFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (fd.get() < 0 || ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot raise a loopback of the trainer's own: ",
                     std::strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace

bool TryLeaveNetwork() { return unshare(CLONE_NEWNET) == 0; }

absl::Status LeaveNetworkForOwnLoopback() {
  if (!TryLeaveNetwork() && !LeaveAsRootOfAnother()) {
    return absl::UnavailableError(absl::StrCat(
        "several devices want a network namespace of the trainer's own, which "
        "this system refuses (",
        std::strerror(errno),
        "); allow user namespaces (kernel.unprivileged_userns_clone), or give "
        "one device in trainer.devices"));
  }
  return RaiseLoopback();
}

}  // namespace hilum
