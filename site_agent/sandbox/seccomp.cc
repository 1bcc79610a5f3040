// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/seccomp.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "site_agent/sandbox/socket_rights.h"
#include "site_agent/sandbox/system_calls.h"

namespace hilum {
namespace {

constexpr uint64_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP |
                                    CLONE_NEWUTS | CLONE_NEWIPC |
                                    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

constexpr int kFileControls[] = {
    F_DUPFD,      F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,
    F_GETFL,      F_SETFL,         F_GETLK,     F_SETLK,
    F_SETLKW,     F_OFD_GETLK,     F_OFD_SETLK, F_OFD_SETLKW,
    F_GETPIPE_SZ, F_SETPIPE_SZ,    F_GET_SEALS, F_ADD_SEALS};
// Requests for a terminal: isatty and progress bars make them.
constexpr int kIoControls[] = {TCGETS,  TIOCGWINSZ, FIONREAD,
                               FIONBIO, FIOCLEX,    FIONCLEX};
// Names of threads and memory, the end of a child with its parent, and queries.
constexpr int kProcessControls[] = {
    PR_SET_NAME,       PR_GET_NAME,         PR_SET_PDEATHSIG, PR_GET_PDEATHSIG,
    PR_GET_DUMPABLE,   PR_SET_NO_NEW_PRIVS, PR_GET_SECCOMP,   PR_CAPBSET_READ,
    PR_SET_TIMERSLACK, PR_GET_TIMERSLACK,   0x53564d41 /* PR_SET_VMA */};
constexpr int kTerminalInput[] = {TIOCSTI, TIOCLINUX};

class Filter {
 public:
  // `otherwise`: the answer to a call without a rule.
  explicit Filter(uint32_t otherwise)
      : filter_(seccomp_init(otherwise), seccomp_release) {}

  void Add(uint32_t action, const char* name,
           std::initializer_list<scmp_arg_cmp> arguments = {}) {
    if (!ok()) return;
    // Some architectures lack some calls.
    const int call = seccomp_syscall_resolve_name(name);
    if (call < 0) return;
    const int rc = seccomp_rule_add_array(
        filter_.get(), action, call, static_cast<unsigned>(arguments.size()),
        arguments.size() == 0 ? nullptr : arguments.begin());
    if (rc == 0) return;
    error_ = -rc;
    failed_ = name;
  }
  void Allow(const char* name,
             std::initializer_list<scmp_arg_cmp> arguments = {}) {
    Add(SCMP_ACT_ALLOW, name, arguments);
  }
  void AddAll(uint32_t action, absl::Span<const char* const> names) {
    for (const char* name : names) Add(action, name);
  }

  absl::Status Load() {
    auto set = [&](scmp_filter_attr attribute, uint32_t value) {
      if (!ok()) return;
      const int rc = seccomp_attr_set(filter_.get(), attribute, value);
      if (rc != 0) error_ = -rc, failed_ = "seccomp_attr_set";
    };
    set(SCMP_FLTATR_CTL_NNP, 1);
    set(SCMP_FLTATR_CTL_TSYNC, 1);
    set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    set(SCMP_FLTATR_CTL_OPTIMIZE, 2);  // found in log2 of their number
    if (ok()) {
      const int rc = seccomp_load(filter_.get());
      if (rc != 0) error_ = -rc, failed_ = "seccomp_load";
    }
    if (ok()) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat(
        "cannot confine this process: ", failed_, ": ", std::strerror(error_),
        "; a kernel with seccomp is needed"));
  }

 private:
  bool ok() {
    if (filter_ == nullptr) error_ = ENOMEM;
    return error_ == 0;
  }

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter_;
  int error_ = 0;
  const char* failed_ = "seccomp_init";
};

// Compares one argument in a rule that allows. A filter sees 64 bits where the
// kernel reads an int; EQ compares all 64, so that bits in the upper half are
// refused. Other comparisons let such bits pass: see RefuseInts.
scmp_arg_cmp Is(unsigned argument, uint64_t value) {
  return SCMP_CMP64(argument, SCMP_CMP_EQ, static_cast<uint32_t>(value));
}

scmp_arg_cmp Has(unsigned argument, uint64_t mask, uint64_t value) {
  return SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, mask, value);
}

// Landlock 1 and 2 let a process empty a file that it may only read.
void AllowOpen(Filter& filter, const char* name, unsigned flags) {
  filter.Allow(name, {Has(flags, O_TRUNC, 0)});
  filter.Allow(name, {Has(flags, O_ACCMODE, O_WRONLY)});
  filter.Allow(name, {Has(flags, O_ACCMODE, O_RDWR)});
}

void AllowOwnThreads(Filter& filter, const SystemCallRules& rules) {
  if (rules.executes) {
    filter.Allow("clone", {Has(0, kNewNamespaces, 0)});
    filter.Allow("vfork");
  } else {
    // Allows threads, and fork for a decoder that may crash (isolated.h).
    // Refuses a process that shares its parent's memory.
    filter.Allow("clone", {Has(0, kNewNamespaces | CLONE_THREAD | CLONE_VM,
                               CLONE_THREAD | CLONE_VM)});
    filter.Allow("clone",
                 {Has(0, kNewNamespaces | CLONE_THREAD | CLONE_VM, 0)});
  }
  const auto self = static_cast<uint64_t>(getpid());
  filter.Allow("tgkill", {Is(0, self)});
  filter.Allow("prlimit64", {Is(0, 0)});
  filter.Allow("prlimit64", {Is(0, self)});
  if (rules.signals || rules.executes) {
    filter.Allow("kill");
  } else {
    filter.Allow("kill", {Is(0, self)});
  }
  for (int option : kProcessControls) {
    filter.Allow("prctl", {Is(0, static_cast<uint64_t>(option))});
  }
  filter.Allow("prctl", {Is(0, PR_SET_DUMPABLE), Is(1, 0)});
  if (rules.executes) {
    filter.Allow("execve");
    filter.Allow("socketpair", {Is(0, AF_UNIX)});
  }
}

void AllowControls(Filter& filter, const SystemCallRules& rules) {
  for (int command : kFileControls) {
    for (const char* name : {"fcntl", "fcntl64"}) {
      filter.Allow(name, {Is(1, static_cast<uint64_t>(command))});
    }
  }
  if (rules.devices) {
    filter.Allow("ioctl");  // except what RefuseInts takes away
    return;
  }
  for (int command : kIoControls) {
    filter.Allow("ioctl", {Is(1, static_cast<uint64_t>(command))});
  }
}

// Refuses a call whose argument is this int. Ignores the upper half of the
// register, which the kernel does not read.
void RefuseInt(Filter& filter, const char* name, unsigned argument, int value) {
  filter.Add(SCMP_ACT_ERRNO(EPERM), name,
             {Has(argument, UINT32_MAX, static_cast<uint32_t>(value))});
}

// Refuses single values in calls that are allowed with any argument. Needs a
// filter of its own: a mask cannot allow all values but one, and of two filters
// the stricter answer holds.
absl::Status RefuseInts() {
  Filter filter(SCMP_ACT_ALLOW);
  for (int command : kTerminalInput) RefuseInt(filter, "ioctl", 1, command);
  // A process may not change whether descriptors can be sent to it.
  RefuseInt(filter, "setsockopt", 2, kPassRights);
  return filter.Load();
}

void AllowSockets(Filter& filter, const SystemCallRules& rules) {
  filter.Allow("setsockopt");  // except what RefuseInts takes away
  if (rules.families.empty()) {
    // Allows sending only to the connected end, to no address.
    filter.Allow("sendto", {SCMP_CMP64(4, SCMP_CMP_EQ, 0)});
    return;
  }
  for (int family : rules.families) {
    filter.Allow("socket", {Is(0, static_cast<uint64_t>(family))});
  }
  filter.AddAll(SCMP_ACT_ALLOW, CallsOfClients());
}

}  // namespace

absl::Status AllowSystemCalls(const SystemCallRules& rules) {
  // Loads this filter first: the other filter forbids loading more.
  const absl::Status refused = RefuseInts();
  if (!refused.ok()) return refused;
  Filter filter(SCMP_ACT_ERRNO(EPERM));
  filter.AddAll(SCMP_ACT_ALLOW, CallsOfEverybody());
  AllowOpen(filter, "openat", 2);
  AllowOpen(filter, "open", 1);
  AllowOwnThreads(filter, rules);
  AllowControls(filter, rules);
  AllowSockets(filter, rules);
  if (rules.listens) filter.AddAll(SCMP_ACT_ALLOW, CallsOfListeners());
  if (rules.watches) filter.AddAll(SCMP_ACT_ALLOW, CallsOfWatchers());
  if (rules.devices) filter.AddAll(SCMP_ACT_ALLOW, CallsOfDevices());
  for (const char* name : {"clone3", "openat2"}) {
    filter.Add(SCMP_ACT_ERRNO(ENOSYS), name);
  }
  filter.AddAll(SCMP_ACT_KILL_PROCESS, CallsOfAttackers());
  return filter.Load();
}

bool SystemCallsAreFiltered() { return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2; }

}  // namespace hilum
