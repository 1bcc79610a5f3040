// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/describe.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "site_agent/sandbox/dumpable.h"
#include "site_agent/sandbox/landlock.h"
#include "site_agent/sandbox/network_namespace.h"
#include "site_agent/sandbox/seccomp.h"
#include "site_agent/sandbox/socket_rights.h"

namespace hilum {
namespace {

template <typename Try>
bool HoldsInAChild(const Try& attempt) {
  const pid_t child = fork();
  if (child == 0) _exit(attempt() ? 0 : 1);
  int status = 1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

bool DescriptorsAreRefused() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return false;
  }
  ScopedFd one(ends[0]), other(ends[1]);
  return RefuseDescriptors(one.get());
}

Hold Memory() {
  const bool holds =
      HoldsInAChild([] { return HideMemory().ok() && MemoryIsHidden(); });
  return {holds, holds ? "memory and keys: no other process of this user reads "
                         "them, and no core file has them"
                       : "memory and keys: other processes of this user can "
                         "read them"};
}

Hold SystemCalls() {
  const bool holds = HoldsInAChild(
      [] { return AllowSystemCalls({}).ok() && SystemCallsAreFiltered(); });
  return {holds, holds ? "system calls (seccomp): the trainer has no network, "
                         "starts no program, reaches no other process"
                       : "system calls (seccomp): this kernel has no filter; "
                         "the trainer does not start"};
}

Hold Files() {
  const int version = LandlockVersion();
  if (version == 0) return {false, MissingLandlock()};
  return {true,
          absl::StrCat(
              "files (Landlock, version ", version,
              "): the trainer reads its cases and writes its own folder alone",
              version < 3 ? "; a kernel from 6.2 on also guards truncation"
              : version < 6
                  ? "; a kernel from 6.12 on also guards other processes from "
                    "signals"
                  : "")};
}

Hold Descriptors() {
  const bool holds = DescriptorsAreRefused();
  return {holds,
          holds ? "sockets handed over (SO_PASSRIGHTS): the trainer takes none"
                : "sockets handed over: this kernel (before 6.16) lets the "
                  "gateway hand the trainer one, which it could write to if it "
                  "is connected"};
}

Hold Namespaces() {
  const bool holds =
      HoldsInAChild([] { return LeaveNetworkForOwnLoopback().ok(); });
  return {holds,
          holds ? "network namespaces: this user may have one"
                : "network namespaces: none for this user; several devices in "
                  "trainer.devices do not work"};
}

}  // namespace

std::vector<Hold> DescribeConfinement() {
  return {Memory(), SystemCalls(), Files(), Descriptors(), Namespaces()};
}

std::string MissingLandlock() {
  if (LandlockVersion() > 0) return "";
  return "files: this kernel has no Landlock (5.13 on, with `landlock` among "
         "its security modules): a hostile trainer reads and writes what this "
         "user may, the ledger and the approvals too";
}

}  // namespace hilum
