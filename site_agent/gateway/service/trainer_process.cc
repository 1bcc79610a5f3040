// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/trainer_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

constexpr int kTries = 3;

// In the child, between fork and exec: only async-signal-safe calls.
[[noreturn]] void ExecTrainer(const char* binary, const char* fd_text, int fd,
                              pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  fcntl(fd, F_SETFD, 0);
  execl(binary, binary, "serve", "--socket-fd", fd_text,
        static_cast<char*>(nullptr));
  _exit(127);
}

std::string EndOf(int status) {
  if (WIFSIGNALED(status)) {
    return absl::StrCat("was killed by signal ", WTERMSIG(status),
                        WTERMSIG(status) == SIGKILL ? " (out of memory?)" : "");
  }
  if (WEXITSTATUS(status) == 127) return "could not be executed";
  return absl::StrCat("ended with code ", WEXITSTATUS(status));
}

}  // namespace

TrainerProcess::TrainerProcess(std::string binary,
                               std::function<void(absl::string_view)> log)
    : binary_(std::move(binary)), log_(std::move(log)) {}

TrainerProcess::~TrainerProcess() {
  Stop();
  End();
}

void TrainerProcess::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  if (client_ != nullptr) client_->Cancel();
  if (pid_ > 0) kill(pid_, SIGTERM);
}

absl::Status TrainerProcess::Start() {
  if (access(binary_.c_str(), X_OK) != 0) {
    return ErrnoStatus(errno, "no trainer to run (trainer.binary)", binary_);
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return ErrnoStatus(errno, "cannot make a socket pair for", binary_);
  }
  ScopedFd ours(ends[0]);
  ScopedFd theirs(ends[1]);
  std::string fd_text = absl::StrCat(theirs.get());
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0) return ErrnoStatus(errno, "cannot start", binary_);
  if (pid == 0) {
    ExecTrainer(binary_.c_str(), fd_text.c_str(), theirs.get(), parent);
  }
  absl::MutexLock lock(&mutex_);
  pid_ = pid;
  client_ = std::make_unique<TrainerClient>(std::move(ours));
  return absl::OkStatus();
}

void TrainerProcess::End() {
  pid_t pid = -1;
  std::unique_ptr<TrainerClient> client;
  {
    absl::MutexLock lock(&mutex_);
    std::swap(pid, pid_);
    client = std::move(client_);
  }
  if (pid <= 0) return;
  kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  log_(absl::StrCat("trainer ", pid, " ", EndOf(status)));
}

absl::StatusOr<TrainerClient*> TrainerProcess::Child() {
  {
    absl::MutexLock lock(&mutex_);
    if (stopped_) return absl::CancelledError("stopped");
    if (client_ != nullptr) return client_.get();
  }
  HILUM_RETURN_IF_ERROR(Start());
  needs_prepare_ = prepared_.has_value();
  absl::MutexLock lock(&mutex_);
  return client_.get();
}

template <typename Request, typename Response>
absl::StatusOr<Response> TrainerProcess::Call(
    const Request& request,
    absl::StatusOr<Response> (Trainer::*method)(const Request&)) {
  absl::Status last;
  for (int i = 0; i < kTries; ++i) {
    HILUM_ASSIGN_OR_RETURN(TrainerClient * child, Child());
    if (needs_prepare_) {
      log_("loading the cases again");
      last = child->Prepare(*prepared_).status();
      needs_prepare_ = !last.ok();
    }
    if (!needs_prepare_) {
      absl::StatusOr<Response> answer = (child->*method)(request);
      if (!absl::IsUnavailable(answer.status())) return answer;
      last = answer.status();
    } else if (!absl::IsUnavailable(last)) {
      return last;
    }
    {
      absl::MutexLock lock(&mutex_);
      if (stopped_) return absl::CancelledError("stopped");
    }
    End();
  }
  return absl::InternalError(absl::StrCat(
      "the trainer died ", kTries, " times over one task: ", last.message()));
}

absl::StatusOr<v1::PrepareResponse> TrainerProcess::Prepare(
    const v1::PrepareRequest& request) {
  needs_prepare_ = false;
  prepared_.reset();
  absl::StatusOr<v1::PrepareResponse> response =
      Call(request, &Trainer::Prepare);
  if (response.ok()) prepared_ = request;
  return response;
}

absl::StatusOr<v1::TrainResponse> TrainerProcess::Train(
    const v1::TrainRequest& request) {
  return Call(request, &Trainer::Train);
}

absl::StatusOr<v1::EvaluateResponse> TrainerProcess::Evaluate(
    const v1::EvaluateRequest& request) {
  return Call(request, &Trainer::Evaluate);
}

}  // namespace hilum
