// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/trainer_process.h"

#include <signal.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "site_agent/trainer/service/trainer_child.h"

namespace hilum {
namespace {

constexpr int kTries = 3;

}  // namespace

TrainerProcess::TrainerProcess(std::string binary,
                               std::vector<std::string> arguments,
                               std::function<void(absl::string_view)> log)
    : binary_(std::move(binary)),
      arguments_(std::move(arguments)),
      log_(std::move(log)) {}

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
  HILUM_ASSIGN_OR_RETURN(TrainerChild child,
                         StartTrainer(binary_, arguments_));
  absl::MutexLock lock(&mutex_);
  pid_ = child.pid;
  client_ = std::make_unique<TrainerClient>(std::move(child.socket));
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
  log_(absl::StrCat("trainer ", pid, " ", EndTrainer(pid)));
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
