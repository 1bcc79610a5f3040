// SPDX-License-Identifier: Apache-2.0
#include "sim/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

int PollMilliseconds(absl::Duration duration) {
  return static_cast<int>(
      std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 0, 1 << 30));
}

// The running child processes.
class RunningChildren {
 public:
  static RunningChildren& Get() {
    static auto* const children = new RunningChildren;
    return *children;
  }
  void Add(pid_t pid) {
    absl::MutexLock lock(&mutex_);
    pids_.insert(pid);
  }
  void Remove(pid_t pid) {
    absl::MutexLock lock(&mutex_);
    pids_.erase(pid);
  }
  // Signals them all; returns descriptors that become readable at their ends.
  std::vector<ScopedFd> Signal(int signal) {
    absl::MutexLock lock(&mutex_);
    std::vector<ScopedFd> ended;
    for (pid_t pid : pids_) {
      ended.emplace_back(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
      kill(pid, signal);
    }
    return ended;
  }

 private:
  absl::Mutex mutex_;
  std::set<pid_t> pids_ ABSL_GUARDED_BY(mutex_);
};

// Runs in the child: only async-signal-safe calls.
[[noreturn]] void Execute(char* const* arguments, int out, int log,
                          pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // The child would inherit the signal mask of a parent that waits for signals.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (getppid() != parent) _exit(127);
  dup2(out, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(arguments[0], arguments);
  constexpr absl::string_view kReason = "cannot be executed\n";
  if (write(STDERR_FILENO, kReason.data(), kReason.size()) < 0) _exit(126);
  _exit(127);
}

absl::StatusOr<pid_t> Fork(const std::vector<std::string>& arguments, int out,
                           int log) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return ErrnoStatus(errno, "cannot start", arguments[0]);
  if (pid == 0) Execute(pointers.data(), out, log, parent);
  RunningChildren::Get().Add(pid);
  return pid;
}

absl::StatusOr<ScopedFd> OpenLog(const std::string& path) {
  ScopedFd log(
      open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (log.get() < 0) return ErrnoStatus(errno, "cannot open", path);
  return log;
}

int ExitStatusOf(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
                                  : WEXITSTATUS(wait_status);
}

int WaitForPid(pid_t pid) {
  // Removes the child from the list before another process can get its number.
  siginfo_t ended;
  while (waitid(P_PID, pid, &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  RunningChildren::Get().Remove(pid);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return ExitStatusOf(status);
}

}  // namespace

ChildProcess::ChildProcess(pid_t pid, ScopedFd ended, std::string log_path)
    : pid_(pid), ended_(std::move(ended)), log_path_(std::move(log_path)) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      ended_(std::move(other.ended_)),
      log_path_(std::move(other.log_path_)),
      exit_status_(other.exit_status_) {}

ChildProcess::~ChildProcess() { Stop(absl::Seconds(5)); }

absl::StatusOr<ChildProcess> ChildProcess::Start(
    const std::vector<std::string>& arguments, const std::string& log_path,
    int out_fd) {
  HILUM_ASSIGN_OR_RETURN(ScopedFd log, OpenLog(log_path));
  HILUM_ASSIGN_OR_RETURN(
      pid_t pid, Fork(arguments, out_fd >= 0 ? out_fd : log.get(), log.get()));
  ScopedFd ended(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (ended.get() < 0) {
    const int error = errno;
    kill(pid, SIGKILL);
    WaitForPid(pid);
    return ErrnoStatus(error, "cannot watch", arguments[0]);
  }
  return ChildProcess(pid, std::move(ended), log_path);
}

absl::StatusOr<int> ChildProcess::Wait(absl::Duration timeout) {
  if (pid_ < 0) return exit_status_;
  pollfd poller{.fd = ended_.get(), .events = POLLIN, .revents = 0};
  const absl::Time deadline = RealClock().Now() + timeout;
  int ready;
  do {
    ready = poll(&poller, 1, PollMilliseconds(deadline - RealClock().Now()));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return absl::DeadlineExceededError("the process runs still");
  exit_status_ = WaitForPid(std::exchange(pid_, -1));
  return exit_status_;
}

void ChildProcess::Stop(absl::Duration grace) {
  if (pid_ < 0) return;
  kill(pid_, SIGTERM);
  if (Wait(grace).ok()) return;
  kill(pid_, SIGKILL);
  exit_status_ = WaitForPid(std::exchange(pid_, -1));
}

absl::StatusOr<std::string> RunCommand(
    const std::vector<std::string>& arguments, const std::string& log_path) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ErrnoStatus(errno, "cannot make a pipe for", arguments[0]);
  }
  ScopedFd read_end(ends[0]);
  ScopedFd write_end(ends[1]);
  HILUM_ASSIGN_OR_RETURN(ScopedFd log, OpenLog(log_path));
  HILUM_ASSIGN_OR_RETURN(pid_t pid,
                         Fork(arguments, write_end.get(), log.get()));
  write_end.Close();
  std::string out;
  char buffer[4096];
  ssize_t got;
  while ((got = read(read_end.get(), buffer, sizeof(buffer))) > 0 ||
         (got < 0 && errno == EINTR)) {
    if (got > 0) out.append(buffer, static_cast<size_t>(got));
  }
  const int exit_status = WaitForPid(pid);
  if (exit_status == 0) return out;
  return absl::InternalError(absl::StrCat(absl::StrJoin(arguments, " "),
                                          "\nended with status ", exit_status,
                                          ":\n", LastLines(log_path, 5)));
}

void EndChildren(absl::Duration grace) {
  const absl::Time deadline = RealClock().Now() + grace;
  for (const ScopedFd& ended : RunningChildren::Get().Signal(SIGTERM)) {
    if (ended.get() < 0) continue;
    pollfd poller{.fd = ended.get(), .events = POLLIN, .revents = 0};
    while (poll(&poller, 1, PollMilliseconds(deadline - RealClock().Now())) <
               0 &&
           errno == EINTR) {
    }
  }
}

absl::Status WaitForFile(const std::string& path, const ChildProcess& writer,
                         absl::Duration timeout) {
  ScopedFd watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (watch.get() < 0 || inotify_add_watch(watch.get(), folder.c_str(),
                                           IN_CREATE | IN_MOVED_TO) < 0) {
    return ErrnoStatus(errno, "cannot watch", folder);
  }
  const absl::Time deadline = RealClock().Now() + timeout;
  while (!FileExists(path)) {
    pollfd pollers[] = {
        {.fd = watch.get(), .events = POLLIN, .revents = 0},
        {.fd = writer.ended_fd(), .events = POLLIN, .revents = 0}};
    const int ready =
        poll(pollers, 2, PollMilliseconds(deadline - RealClock().Now()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      return absl::DeadlineExceededError(
          absl::StrCat(path, " was not written; see ", writer.log_path()));
    }
    if (pollers[1].revents != 0) {
      return absl::AbortedError(LastLines(writer.log_path(), 5));
    }
    char events[4096];
    while (read(watch.get(), events, sizeof(events)) > 0) {
    }
  }
  return absl::OkStatus();
}

std::string LastLines(const std::string& path, int lines) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return "";
  size_t start = text->size();
  for (int i = 0; i <= lines && start != std::string::npos && start > 0; ++i) {
    start = text->rfind('\n', start - 1);
  }
  return start == std::string::npos || start == 0 ? *text
                                                  : text->substr(start + 1);
}

}  // namespace hilum
