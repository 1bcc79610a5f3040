// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/landlock.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

// The kernel's interface (linux/landlock.h,
// Documentation/userspace-api/landlock.rst); the installed headers may be older
// than the kernel.
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

struct Ruleset {
  uint64_t handled_files;
  uint64_t handled_tcp;  // version 4
  uint64_t scoped;       // version 6
};

struct __attribute__((packed)) PathBeneath {
  uint64_t allowed;
  int32_t parent;
};

constexpr uint32_t kAskVersion = 1;
constexpr int kRulePathBeneath = 1;

constexpr uint64_t kExecute = 1 << 0;
constexpr uint64_t kWriteFile = 1 << 1;
constexpr uint64_t kReadFile = 1 << 2;
constexpr uint64_t kReadFolder = 1 << 3;
constexpr uint64_t kRemoveFolder = 1 << 4;
constexpr uint64_t kRemoveFile = 1 << 5;
constexpr uint64_t kMakeFolder = 1 << 7;
constexpr uint64_t kMakeRegular = 1 << 8;
constexpr uint64_t kRefer = 1 << 13;        // version 2
constexpr uint64_t kTruncate = 1 << 14;     // version 3
constexpr uint64_t kDeviceIoctl = 1 << 15;  // version 5
constexpr uint64_t kAllOfVersion1 = (1 << 13) - 1;

constexpr uint64_t kBindTcp = 1 << 0;
constexpr uint64_t kConnectTcp = 1 << 1;
constexpr uint64_t kAbstractSockets = 1 << 0;
constexpr uint64_t kSignals = 1 << 1;

// The rights that a rule may give for a file; the others are for folders.
constexpr uint64_t kForFiles =
    kExecute | kWriteFile | kReadFile | kTruncate | kDeviceIoctl;

constexpr uint64_t kRead = kReadFile | kReadFolder;
constexpr uint64_t kWrite = kRead | kWriteFile | kRemoveFolder | kRemoveFile |
                            kMakeFolder | kMakeRegular | kRefer | kTruncate;
constexpr uint64_t kDevice = kRead | kWriteFile | kDeviceIoctl;

absl::Status Refused(absl::string_view what) {
  return absl::UnavailableError(
      absl::StrCat("cannot confine this process to its files: ", what, ": ",
                   std::strerror(errno)));
}

uint64_t HandledFiles(int version) {
  uint64_t handled = kAllOfVersion1;
  if (version >= 2) handled |= kRefer;
  if (version >= 3) handled |= kTruncate;
  if (version >= 5) handled |= kDeviceIoctl;
  return handled;
}

Ruleset RulesetFor(int version, const LandlockScope& scope) {
  Ruleset ruleset = {.handled_files = HandledFiles(version)};
  if (version >= 4) {
    ruleset.handled_tcp = (scope.binds_tcp ? 0 : kBindTcp) |
                          (scope.connects_tcp ? 0 : kConnectTcp);
  }
  if (version >= 6) {
    ruleset.scoped = kAbstractSockets | (scope.signals_others ? 0 : kSignals);
  }
  return ruleset;
}

absl::Status Allow(int ruleset, uint64_t access,
                   const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    ScopedFd fd(open(path.c_str(), O_PATH | O_CLOEXEC));
    struct stat info;
    if (fd.get() < 0 || fstat(fd.get(), &info) != 0) continue;
    const PathBeneath rule = {
        .allowed = S_ISDIR(info.st_mode) ? access : access & kForFiles,
        .parent = fd.get()};
    if (syscall(SYS_landlock_add_rule, ruleset, kRulePathBeneath, &rule, 0) !=
        0) {
      return Refused(path);
    }
  }
  return absl::OkStatus();
}

}  // namespace

int LandlockVersion() {
  const long version =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskVersion);
  return version < 0 ? 0 : static_cast<int>(version);
}

absl::Status RestrictFiles(const FileAccess& files,
                           const LandlockScope& scope) {
  const int version = LandlockVersion();
  if (version == 0) return absl::OkStatus();
  const Ruleset wanted = RulesetFor(version, scope);
  // An older kernel knows a shorter struct. It accepts a longer one if the rest
  // is zero.
  ScopedFd ruleset(static_cast<int>(
      syscall(SYS_landlock_create_ruleset, &wanted, sizeof(wanted), 0)));
  if (ruleset.get() < 0) return Refused("landlock_create_ruleset");
  const uint64_t handled = wanted.handled_files;
  HILUM_RETURN_IF_ERROR(Allow(ruleset.get(), kRead & handled, files.read));
  HILUM_RETURN_IF_ERROR(Allow(ruleset.get(), kWrite & handled, files.write));
  HILUM_RETURN_IF_ERROR(
      Allow(ruleset.get(), (kExecute | kReadFile) & handled, files.execute));
  HILUM_RETURN_IF_ERROR(Allow(ruleset.get(), kDevice & handled, files.devices));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Refused("no_new_privs");
  }
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return Refused("landlock_restrict_self");
  }
  return absl::OkStatus();
}

}  // namespace hilum
