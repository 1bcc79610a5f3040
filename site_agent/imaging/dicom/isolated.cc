// SPDX-License-Identifier: Apache-2.0
#include "site_agent/imaging/dicom/isolated.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <new>

namespace hilum {
namespace {

// The child's status, in front of its bytes; zeros until the child writes it.
struct Report {
  bool finished;
  absl::StatusCode code;
  size_t length;
  char message[200];
};

// Memory pages shared by parent and child.
class SharedPages {
 public:
  explicit SharedPages(size_t size)
      : size_(size),
        start_(mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {}
  SharedPages(const SharedPages&) = delete;
  SharedPages& operator=(const SharedPages&) = delete;
  ~SharedPages() {
    if (ok()) munmap(start_, size_);
  }
  bool ok() const { return start_ != MAP_FAILED; }
  Report& report() { return *static_cast<Report*>(start_); }
  char* bytes() { return static_cast<char*>(start_) + sizeof(Report); }

 private:
  size_t size_;
  void* start_;
};

void Confine(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  for (int signal : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV}) {
    std::signal(signal, SIG_DFL);
  }
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const rlimit a_minute = {60, 60};
  setrlimit(RLIMIT_CPU, &a_minute);
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null < 0) _exit(1);
  for (int fd : {STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
}

[[noreturn]] void RunChild(SharedPages& pages,
                           absl::FunctionRef<absl::Status(char*)> work) {
  Report& report = pages.report();
  try {
    const absl::Status status = work(pages.bytes());
    report.code = status.code();
    report.length =
        status.message().copy(report.message, sizeof(report.message));
  } catch (const std::bad_alloc&) {
    report.code = absl::StatusCode::kResourceExhausted;
  }
  report.finished = true;
  // _exit, not exit: the child must not run the parent's exit handlers.
  _exit(0);
}

}  // namespace

absl::Status RunIsolated(size_t size,
                         absl::FunctionRef<absl::Status(char*)> work,
                         std::string& out) {
  SharedPages pages(sizeof(Report) + size);
  if (!pages.ok()) return absl::ResourceExhaustedError("out of memory");
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    return absl::ResourceExhaustedError("no process for the decoder");
  }
  if (child == 0) {
    Confine(parent);
    RunChild(pages, work);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const Report& report = pages.report();
  if (!report.finished) {
    return absl::InvalidArgumentError("the decoder broke down over it");
  }
  if (report.code != absl::StatusCode::kOk) {
    return absl::Status(
        report.code,
        absl::string_view(report.message,
                          std::min(report.length, sizeof(report.message))));
  }
  out.append(pages.bytes(), size);
  return absl::OkStatus();
}

}  // namespace hilum
