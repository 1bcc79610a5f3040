// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/system_calls.h"

#include <gtest/gtest.h>
#include <seccomp.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hilum {
namespace {

struct Group {
  const char* name;
  absl::Span<const char* const> calls;
};

std::vector<Group> Groups() {
  return {{"everybody", CallsOfEverybody()}, {"devices", CallsOfDevices()},
          {"clients", CallsOfClients()},     {"listeners", CallsOfListeners()},
          {"watchers", CallsOfWatchers()},   {"attackers", CallsOfAttackers()}};
}

// A misspelt call would be left out of the filter without a word: refused where
// it is needed, and alive where it should kill.
TEST(SystemCallsTest, EveryNameIsOneOfTheKernels) {
  for (const Group& group : Groups()) {
    for (const char* call : group.calls) {
      EXPECT_NE(seccomp_syscall_resolve_name(call), __NR_SCMP_ERROR)
          << call << " of " << group.name;
    }
  }
}

TEST(SystemCallsTest, NoCallIsInTwoGroups) {
  std::map<std::string, std::string> group_of;
  for (const Group& group : Groups()) {
    for (const char* call : group.calls) {
      const auto [at, is_new] = group_of.emplace(call, group.name);
      EXPECT_TRUE(is_new) << call << ": " << at->second << ", " << group.name;
    }
  }
}

TEST(SystemCallsTest, NobodyIsGivenWhatReachesOthers) {
  for (const Group& group : Groups()) {
    if (group.name == absl::string_view("attackers")) continue;
    for (const char* call : group.calls) {
      for (const char* reaches : {"execve",
                                  "execveat",
                                  "ptrace",
                                  "process_vm_readv",
                                  "process_vm_writev",
                                  "pidfd_open",
                                  "pidfd_getfd",
                                  "io_uring_setup",
                                  "socket",
                                  "socketpair",
                                  "kill",
                                  "tkill",
                                  "clone",
                                  "clone3",
                                  "vfork",
                                  "chmod",
                                  "fchmodat",
                                  "chown",
                                  "link",
                                  "linkat",
                                  "symlink",
                                  "symlinkat",
                                  "mknod",
                                  "prctl",
                                  "ioctl",
                                  "setsockopt",
                                  "open",
                                  "openat",
                                  "seccomp"}) {
        EXPECT_STRNE(call, reaches) << group.name;
      }
    }
  }
}

}  // namespace
}  // namespace hilum
