// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/trainer_launcher.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "absl/strings/string_view.h"

namespace hilum {
namespace {

// A request to the launcher: pid 0 starts a trainer, another pid ends it.
struct Question {
  pid_t pid;
};

// A started trainer comes with its socket and output. Otherwise `text` says why
// it was not started, or how it had ended.
struct Answer {
  pid_t pid;
  absl::StatusCode code;
  char text[500];
};

constexpr int kDescriptors = 2;

union Rights {
  char bytes[CMSG_SPACE(kDescriptors * sizeof(int))];
  cmsghdr align;
};

bool SendAnswer(int socket, const Answer& answer, const TrainerChild& child) {
  const int fds[kDescriptors] = {child.socket.get(), child.output.get()};
  iovec data{const_cast<Answer*>(&answer), sizeof(answer)};
  Rights rights = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (fds[0] >= 0) {
    message.msg_control = rights.bytes;
    message.msg_controllen = sizeof(rights.bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(fds));
    std::memcpy(CMSG_DATA(header), fds, sizeof(fds));
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) == sizeof(answer);
}

// Returns whether an answer came; `child` gets the descriptors in it.
bool ReceiveAnswer(int socket, Answer& answer, TrainerChild& child) {
  iovec data{&answer, sizeof(answer)};
  Rights rights = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = rights.bytes;
  message.msg_controllen = sizeof(rights.bytes);
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof(answer)) return false;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(kDescriptors * sizeof(int))) {
    int fds[kDescriptors];
    std::memcpy(fds, CMSG_DATA(header), sizeof(fds));
    child.socket = ScopedFd(fds[0]);
    child.output = ScopedFd(fds[1]);
  }
  return true;
}

void SetText(Answer& answer, absl::string_view text) {
  const size_t length = text.copy(answer.text, sizeof(answer.text) - 1);
  answer.text[length] = '\0';
}

// Runs in the launcher until the gateway has gone.
void Serve(int socket, const std::string& binary,
           const std::vector<std::string>& arguments) {
  std::set<pid_t> running;
  Question question;
  for (;;) {
    const ssize_t got = recv(socket, &question, sizeof(question), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got != sizeof(question)) return;
    Answer answer = {};
    TrainerChild started{.pid = 0, .socket = ScopedFd(-1)};
    if (question.pid == 0) {
      auto child = StartTrainer(binary, arguments, TrainerOutput::kPiped);
      answer.code = child.status().code();
      if (child.ok()) {
        answer.pid = child->pid;
        running.insert(child->pid);
        started = *std::move(child);
      } else {
        SetText(answer, child.status().message());
      }
    } else if (running.erase(question.pid) == 1) {
      SetText(answer, EndTrainer(question.pid));
    }
    if (!SendAnswer(socket, answer, started)) return;
  }
}

[[noreturn]] void RunLauncher(int socket, pid_t gateway,
                              const std::string& binary,
                              const std::vector<std::string>& arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != gateway) _exit(1);
  // Only the gateway ends its trainers, even if a terminal signals the group.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  Serve(socket, binary, arguments);
  _exit(0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrainerLauncher>> TrainerLauncher::Start(
    std::string binary, std::vector<std::string> arguments) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return ErrnoStatus(errno, "cannot make a socket pair for", binary);
  }
  ScopedFd ours(ends[0]);
  ScopedFd theirs(ends[1]);
  const pid_t gateway = getpid();
  const pid_t pid = fork();
  if (pid < 0)
    return ErrnoStatus(errno, "cannot start the launcher of", binary);
  if (pid == 0) {
    ours.Close();
    RunLauncher(theirs.get(), gateway, binary, arguments);
  }
  return std::unique_ptr<TrainerLauncher>(
      new TrainerLauncher(pid, std::move(ours)));
}

TrainerLauncher::~TrainerLauncher() {
  socket_.Close();
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

absl::StatusOr<TrainerChild> TrainerLauncher::StartTrainer() {
  const Question question{0};
  Answer answer = {};
  TrainerChild child{.pid = 0, .socket = ScopedFd(-1)};
  if (send(socket_.get(), &question, sizeof(question), MSG_NOSIGNAL) < 0 ||
      !ReceiveAnswer(socket_.get(), answer, child)) {
    return absl::UnavailableError(
        "the process that starts trainers has ended; start hilum-site again");
  }
  if (answer.code != absl::StatusCode::kOk) {
    return absl::Status(answer.code, answer.text);
  }
  child.pid = answer.pid;
  return child;
}

std::string TrainerLauncher::EndTrainer(pid_t pid) {
  const Question question{pid};
  Answer answer = {};
  TrainerChild none{.pid = 0, .socket = ScopedFd(-1)};
  if (send(socket_.get(), &question, sizeof(question), MSG_NOSIGNAL) < 0 ||
      !ReceiveAnswer(socket_.get(), answer, none)) {
    return "ended with the process that started it";
  }
  return answer.text;
}

}  // namespace hilum
