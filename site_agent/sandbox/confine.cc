// SPDX-License-Identifier: Apache-2.0
#include "site_agent/sandbox/confine.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "site_agent/sandbox/dumpable.h"
#include "site_agent/sandbox/landlock.h"
#include "site_agent/sandbox/network_namespace.h"
#include "site_agent/sandbox/seccomp.h"

namespace hilum {
namespace {

namespace fs = std::filesystem;

// Libraries load more libraries and read the processor's description.
constexpr const char* kSystemFiles[] = {"/usr",
                                        "/lib",
                                        "/lib64",
                                        "/proc/self",
                                        "/proc/cpuinfo",
                                        "/proc/meminfo",
                                        "/proc/stat",
                                        "/proc/sys/vm",
                                        "/sys/devices/system",
                                        "/dev/urandom",
                                        "/etc/ld.so.cache",
                                        "/etc/localtime",
                                        "/etc/passwd",
                                        "/etc/group",
                                        "/etc/nsswitch.conf",
                                        "/etc/ssl/openssl.cnf"};
constexpr const char* kGpuFiles[] = {"/proc/driver", "/proc/devices",
                                     "/sys/module", "/sys/bus/pci",
                                     "/sys/devices"};
// Gloo lists the network cards, even when it uses only the loopback.
constexpr const char* kLoopbackFiles[] = {"/sys/bus/pci", "/sys/class/net",
                                          "/sys/devices"};

// Tells a process that executed itself again what it did before: the process
// number, which stays the same, and one of the words below.
constexpr char kMark[] = "HILUM_CONFINED";
constexpr char kAlone[] = " alone";        // its libraries start no threads
constexpr char kConfined[] = " confined";  // FilesAndNetwork is done
// Keeps OpenBLAS from starting threads when it is loaded; the second variable
// keeps the user's value meanwhile.
constexpr char kBlasThreads[] = "OPENBLAS_NUM_THREADS";
constexpr char kBlasThreadsBefore[] = "HILUM_OPENBLAS_NUM_THREADS";

// Returns the paths of the loaded libraries and of the dynamic linker.
std::set<std::string> LoadedFiles() {
  std::set<std::string> files;
  const absl::StatusOr<std::string> maps = ReadFile("/proc/self/maps");
  if (!maps.ok()) return files;
  for (absl::string_view line : absl::StrSplit(*maps, '\n')) {
    const size_t slash = line.find('/');
    if (slash == absl::string_view::npos) continue;
    const absl::string_view path = line.substr(slash);
    if (absl::StrContains(path, ".so")) files.insert(std::string(path));
  }
  return files;
}

int Threads() {
  std::error_code error;
  int threads = 0;
  for (fs::directory_iterator at("/proc/self/task", error), end;
       !error && at != end; at.increment(error)) {
    ++threads;
  }
  return threads;
}

// Returns the files to execute for a rank, or for this program again.
std::vector<std::string> OwnProgram() {
  std::vector<std::string> files = {"/proc/self/exe"};
  for (const std::string& file : LoadedFiles()) {
    if (absl::StartsWith(fs::path(file).filename().string(), "ld-")) {
      files.push_back(file);
    }
  }
  return files;
}

std::vector<std::string> GpuDevices() {
  std::vector<std::string> devices;
  std::error_code error;
  for (fs::directory_iterator at("/dev", error), end; !error && at != end;
       at.increment(error)) {
    if (absl::StartsWith(at->path().filename().string(), "nvidia")) {
      devices.push_back(at->path().string());
    }
  }
  return devices;
}

FileAccess FilesOf(const Confinement& confinement) {
  FileAccess files{.read = confinement.read,
                   .write = confinement.write,
                   .execute = OwnProgram(),
                   .devices = {"/dev/null"}};
  files.read.insert(files.read.end(), std::begin(kSystemFiles),
                    std::end(kSystemFiles));
  for (const std::string& file : LoadedFiles()) {
    files.read.push_back(fs::path(file).parent_path().string());
  }
  if (confinement.own_loopback) {
    files.read.insert(files.read.end(), std::begin(kLoopbackFiles),
                      std::end(kLoopbackFiles));
  }
  if (confinement.gpu) {
    files.devices = GpuDevices();
    files.devices.push_back("/dev/null");
    files.read.insert(files.read.end(), std::begin(kGpuFiles),
                      std::end(kGpuFiles));
  }
  return files;
}

// Applies the limits that hold for the calling thread alone.
absl::Status FilesAndNetwork(const Confinement& confinement) {
  const FileAccess files = FilesOf(confinement);
  if (confinement.own_loopback) {
    HILUM_RETURN_IF_ERROR(LeaveNetworkForOwnLoopback());
  } else {
    // Many kernels refuse a namespace without privileges; then only the filter
    // blocks the network.
    (void)TryLeaveNetwork();
  }
  return RestrictFiles(files, {.binds_tcp = confinement.own_loopback,
                               .connects_tcp = confinement.own_loopback,
                               .signals_others = false});
}

void MoveVariable(const char* from, const char* to) {
  const char* value = std::getenv(from);
  if (value != nullptr) {
    setenv(to, value, 1);
  } else {
    unsetenv(to);
  }
  unsetenv(from);
}

absl::Status ExecuteAgain(const char* word) {
  HILUM_ASSIGN_OR_RETURN(std::string line, ReadFile("/proc/self/cmdline"));
  std::vector<char*> words;
  for (size_t at = 0; at < line.size(); at = line.find('\0', at) + 1) {
    words.push_back(line.data() + at);
  }
  words.push_back(nullptr);
  setenv(kMark, absl::StrCat(getpid(), word).c_str(), 1);
  execv("/proc/self/exe", words.data());
  return absl::UnavailableError(absl::StrCat(
      "cannot execute this program again, confined: ", std::strerror(errno)));
}

bool Has(const char* word) {
  const char* mark = std::getenv(kMark);
  return mark != nullptr && absl::StrCat(getpid(), word) == mark;
}

// Checks that files are closed: somebody may have set the mark by hand.
absl::Status CheckFiles() {
  if (LandlockVersion() == 0) return absl::OkStatus();
  ScopedFd root(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root.get() < 0 && errno == EACCES) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "this process is not confined to its files; run it without the variable ",
      kMark));
}

SystemCallRules RulesOf(const Confinement& confinement) {
  SystemCallRules rules;
  rules.devices = confinement.gpu;
  if (confinement.own_loopback) {
    // Gloo asks over netlink which interfaces there are.
    rules.families = {AF_INET, AF_NETLINK};
    rules.listens = true;
    rules.executes = true;
  }
  return rules;
}

}  // namespace

absl::Status Confine(const Confinement& confinement) {
  HILUM_RETURN_IF_ERROR(HideMemory());
  if (Has(kConfined)) {
    HILUM_RETURN_IF_ERROR(CheckFiles());
    return AllowSystemCalls(RulesOf(confinement));
  }
  const bool alone = Has(kAlone);
  // An ordinary user may make a namespace only in a process with one thread.
  if (confinement.own_loopback && !alone && Threads() > 1) {
    MoveVariable(kBlasThreads, kBlasThreadsBefore);
    setenv(kBlasThreads, "1", 1);
    return ExecuteAgain(kAlone);
  }
  HILUM_RETURN_IF_ERROR(FilesAndNetwork(confinement));
  if (alone) MoveVariable(kBlasThreadsBefore, kBlasThreads);
  if (alone || Threads() > 1) return ExecuteAgain(kConfined);
  return AllowSystemCalls(RulesOf(confinement));
}

absl::Status ConfineGateway(const std::string& state_dir,
                            const std::vector<std::string>& read) {
  HILUM_RETURN_IF_ERROR(HideMemory());
  FileAccess files{.read = read,
                   .write = {state_dir},
                   .execute = {},
                   .devices = {"/dev/null"}};
  files.read.insert(files.read.end(), std::begin(kSystemFiles),
                    std::end(kSystemFiles));
  // Allows the whole folders: the files that resolve host names are replaced
  // when the network changes.
  for (const char* names : {"/etc", "/run/systemd/resolve", "/run/resolvconf",
                            "/run/NetworkManager"}) {
    files.read.push_back(names);
  }
  HILUM_RETURN_IF_ERROR(RestrictFiles(
      files,
      {.binds_tcp = false, .connects_tcp = true, .signals_others = true}));
  return AllowSystemCalls({.families = {AF_INET, AF_INET6, AF_NETLINK, AF_UNIX},
                           .listens = false,
                           .executes = false,
                           .signals = true,
                           .devices = false,
                           .watches = true});
}

}  // namespace hilum
