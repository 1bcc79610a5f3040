// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/sandbox.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

absl::Status Failed(absl::string_view what, int error) {
  return absl::UnavailableError(
      absl::StrCat("cannot take the network from the trainer: ", what, ": ",
                   std::strerror(error), "; a kernel with seccomp is needed"));
}

}  // namespace

absl::Status DenyNetwork() {
  // Refused without privileges on many kernels; seccomp below is the wall.
  (void)unshare(CLONE_NEWNET);
  std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(
      seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (filter == nullptr) return Failed("seccomp_init", ENOMEM);
  const uint32_t refuse = SCMP_ACT_ERRNO(EPERM);
  for (int call : {SCMP_SYS(socket), SCMP_SYS(socketpair)}) {
    // The kernel reads the family as an int; so does an A0_32 test.
    int rc = seccomp_rule_add(filter.get(), refuse, call, 1,
                              SCMP_A0_32(SCMP_CMP_NE, AF_UNIX));
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

}  // namespace hilum
