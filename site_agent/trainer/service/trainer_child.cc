// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/service/trainer_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "site_agent/sandbox/socket_rights.h"

namespace hilum {
namespace {

// Runs in the child, between fork and exec: only async-signal-safe calls.
// `output` -1: inherits this process's output.
[[noreturn]] void Exec(char* const* arguments, int fd, int output,
                       pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  // Makes a process group that EndTrainer can kill and a hostile trainer cannot
  // leave, and no terminal whose input it could write. Fails in a confined
  // trainer that starts ranks: they stay in its session.
  setsid();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0) _exit(1);
  if (output >= 0) {
    for (int to : {STDOUT_FILENO, STDERR_FILENO}) {
      if (dup2(output, to) < 0) _exit(1);
    }
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // A terminal and systemd send these signals to all processes of a group. Only
  // the parent may end the trainer; otherwise it would take the end for a
  // failure.
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  fcntl(fd, F_SETFD, 0);
  execv(arguments[0], arguments);
  _exit(127);
}

std::string HowItEnded(int status) {
  if (WIFSIGNALED(status)) {
    return absl::StrCat("was killed by signal ", WTERMSIG(status),
                        WTERMSIG(status) == SIGKILL ? " (out of memory?)"
                        : WTERMSIG(status) == SIGSYS
                            ? " (a system call that only an attack makes: keep "
                              "this log and the machine as they are)"
                            : "");
  }
  if (WEXITSTATUS(status) == 127) return "could not be executed";
  return absl::StrCat("ended with code ", WEXITSTATUS(status));
}

}  // namespace

absl::StatusOr<TrainerChild> StartTrainer(
    const std::string& binary, const std::vector<std::string>& arguments,
    TrainerOutput output) {
  if (access(binary.c_str(), X_OK) != 0) {
    return ErrnoStatus(errno, "no trainer to run (trainer.binary)", binary);
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return ErrnoStatus(errno, "cannot make a socket pair for", binary);
  }
  ScopedFd ours(ends[0]);
  ScopedFd theirs(ends[1]);
  // Refuses descriptors on both ends; on an older kernel only the trainer's
  // filter makes a received socket useless.
  (void)RefuseDescriptors(ours.get());
  (void)RefuseDescriptors(theirs.get());
  ScopedFd reads, writes;
  if (output == TrainerOutput::kPiped) {
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) != 0) {
      return ErrnoStatus(errno, "cannot make a pipe for", binary);
    }
    reads = ScopedFd(pipe[0]);
    writes = ScopedFd(pipe[1]);
  }
  std::vector<std::string> words = {binary, "serve", "--socket-fd",
                                    absl::StrCat(theirs.get())};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return ErrnoStatus(errno, "cannot start", binary);
  if (pid == 0) Exec(pointers.data(), theirs.get(), writes.get(), parent);
  return TrainerChild{
      .pid = pid, .socket = std::move(ours), .output = std::move(reads)};
}

std::string EndTrainer(pid_t pid) {
  // The number stays the group's until waitpid.
  kill(-pid, SIGKILL);
  kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return HowItEnded(status);
}

}  // namespace hilum
