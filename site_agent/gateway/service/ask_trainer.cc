// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/ask_trainer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr size_t kMaxOutput = 1 << 20;

// Runs in the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void Exec(char* const* arguments, int out, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
      dup2(out, STDOUT_FILENO) < 0) {
    _exit(126);
  }
  execv(arguments[0], arguments);
  _exit(127);
}

absl::Status ReadToEnd(int fd, const std::string& binary, std::string& text) {
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return ErrnoStatus(errno, "cannot read what is said by", binary);
    if (got == 0) return absl::OkStatus();
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kMaxOutput) {
      return absl::ResourceExhaustedError(
          absl::StrCat(binary, " says more than 1 MiB"));
    }
  }
}

int WaitFor(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

absl::StatusOr<TrainerAnswer> AskTrainer(
    const std::string& binary, const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ErrnoStatus(errno, "cannot make a pipe for", binary);
  }
  ScopedFd ours(ends[0]);
  ScopedFd theirs(ends[1]);
  std::vector<std::string> words = {binary};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return ErrnoStatus(errno, "cannot start", binary);
  if (pid == 0) Exec(pointers.data(), theirs.get(), parent);
  theirs.Close();
  std::string text;
  const absl::Status status = ReadToEnd(ours.get(), binary, text);
  if (!status.ok()) kill(pid, SIGKILL);
  TrainerAnswer answer{.exit_code = WaitFor(pid), .lines = {}};
  HILUM_RETURN_IF_ERROR(status);
  answer.lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  return answer;
}

}  // namespace hilum
