// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/sandbox.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

absl::Status Failed(absl::string_view what, int error) {
  return absl::UnavailableError(
      absl::StrCat("cannot take the network from the trainer: ", what, ": ",
                   std::strerror(error), "; a kernel with seccomp is needed"));
}

// For all threads and children: sockets of these families only, and no other
// door to any.
absl::Status AllowOnly(std::initializer_list<int> families) {
  std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(
      seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (filter == nullptr) return Failed("seccomp_init", ENOMEM);
  const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
  // The kernel reads the family as an int; so does an A0_32 test. A rule for
  // each range between the allowed ones.
  for (int call : {SCMP_SYS(socket), SCMP_SYS(socketpair)}) {
    uint64_t low = 0;
    for (int family : families) {
      const uint64_t allowed = static_cast<uint64_t>(family);
      for (uint64_t other = low; other < allowed; ++other) {
        int rc = seccomp_rule_add(filter.get(), refuse, call, 1,
                                  SCMP_A0_32(SCMP_CMP_EQ, other));
        if (rc != 0) return Failed("socket rule", -rc);
      }
      low = allowed + 1;
    }
    int rc = seccomp_rule_add(filter.get(), refuse, call, 1,
                              SCMP_A0_32(SCMP_CMP_GE, low));
    if (rc != 0) return Failed("socket rule", -rc);
  }
  for (int call : {SCMP_SYS(io_uring_setup), SCMP_SYS(ptrace)}) {
    int rc = seccomp_rule_add(filter.get(), refuse, call, 0);
    if (rc != 0) return Failed("rule", -rc);
  }
  int rc = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 1);
  if (rc == 0) rc = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  if (rc == 0) rc = seccomp_load(filter.get());
  if (rc != 0) return Failed("seccomp_load", -rc);
  return absl::OkStatus();
}

// A network namespace without interfaces; as root of a user namespace of its
// own where this user may not have one otherwise.
bool LeaveNetwork() {
  if (unshare(CLONE_NEWNET) == 0) return true;
  const std::string user = absl::StrCat(getuid(), " ", getuid(), " 1");
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  // Still this user, by name.
  ScopedFd map(open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC));
  return map.get() >= 0 && WriteAt(map.get(), 0, user, "uid_map").ok();
}

absl::Status RaiseLoopback() {
  ScopedFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (fd.get() < 0 || ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) {
    return Failed("loopback", errno);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status DenyNetwork() {
  // Refused without privileges on many kernels; seccomp below is the wall.
  (void)unshare(CLONE_NEWNET);
  return AllowOnly({AF_UNIX});
}

absl::Status DenyNetworkButOwnLoopback() {
  if (!LeaveNetwork()) {
    return absl::UnavailableError(absl::StrCat(
        "several devices want a network namespace of the trainer's own, which "
        "this system refuses (",
        std::strerror(errno),
        "); allow user namespaces (kernel.unprivileged_userns_clone), or give "
        "one device in trainer.devices"));
  }
  HILUM_RETURN_IF_ERROR(RaiseLoopback());
  // Netlink is how one asks which interfaces there are.
  return AllowOnly({AF_UNIX, AF_INET, AF_NETLINK});
}

}  // namespace hilum
