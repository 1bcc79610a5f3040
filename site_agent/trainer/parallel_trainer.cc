// SPDX-License-Identifier: Apache-2.0
#include "site_agent/trainer/parallel_trainer.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/base/status_macros.h"
#include "site_agent/trainer/service/trainer_child.h"

namespace hilum {

ParallelTrainer::ParallelTrainer(std::string binary,
                                 std::function<void(const std::string&)> log)
    : binary_(std::move(binary)), log_(std::move(log)) {}

ParallelTrainer::~ParallelTrainer() { End(); }

void ParallelTrainer::End() {
  first_.reset();
  for (Child& child : std::exchange(children_, {})) {
    child.client.reset();
    EndTrainer(child.pid);
  }
  std::error_code ignored;
  if (!meeting_file_.empty()) std::filesystem::remove(meeting_file_, ignored);
  meeting_file_.clear();
}

std::vector<pid_t> ParallelTrainer::ChildPids() const {
  std::vector<pid_t> pids;
  for (const Child& child : children_) pids.push_back(child.pid);
  return pids;
}

absl::Status ParallelTrainer::Start(const v1::PrepareRequest& request) {
  End();
  TorchTrainerOptions options;
  options.log = log_;
  const int size = std::max(1, request.devices_size());
  if (size > 1) {
    if (request.work_dir().empty()) {
      return absl::InvalidArgumentError(
          "several devices want a folder to work in");
    }
    meeting_file_ = absl::StrCat(request.work_dir(), "/ranks-", getpid());
    std::error_code ignored;
    std::filesystem::remove(meeting_file_, ignored);
    options.ranks = {.rank = 0, .size = size, .meeting_file = meeting_file_};
  }
  first_ = std::make_unique<TorchTrainer>(options);
  for (int rank = 1; rank < size; ++rank) {
    HILUM_ASSIGN_OR_RETURN(
        TrainerChild child,
        StartTrainer(binary_,
                     {"--rank", absl::StrCat(rank), "--ranks",
                      absl::StrCat(size), "--meeting-file", meeting_file_}));
    children_.push_back(
        {.pid = child.pid,
         .client = std::make_unique<TrainerClient>(std::move(child.socket))});
  }
  return absl::OkStatus();
}

template <typename Response>
absl::StatusOr<Response> ParallelTrainer::OnAll(
    absl::FunctionRef<absl::StatusOr<Response>(Trainer&, bool first)> call) {
  absl::Mutex mutex;
  absl::Status failed;  // the first failure in time, which has the cause
  std::vector<std::thread> threads;
  for (Child& child : children_) {
    threads.emplace_back([&, trainer = child.client.get(), pid = child.pid] {
      absl::Status status = call(*trainer, false).status();
      if (status.ok()) return;
      {
        absl::MutexLock lock(&mutex);
        failed.Update(status);
      }
      // Ends the rank: no call waits for it.
      kill(pid, SIGKILL);
    });
  }
  absl::StatusOr<Response> answer = call(*first_, true);
  if (!answer.ok()) {
    absl::MutexLock lock(&mutex);
    failed.Update(answer.status());
    for (const Child& child : children_) kill(child.pid, SIGKILL);
  }
  for (std::thread& thread : threads) thread.join();
  if (failed.ok()) return answer;
  End();
  return failed;
}

absl::StatusOr<v1::PrepareResponse> ParallelTrainer::Prepare(
    const v1::PrepareRequest& request) {
  prepared_.reset();
  HILUM_RETURN_IF_ERROR(Start(request));
  absl::StatusOr<v1::PrepareResponse> response = OnAll<v1::PrepareResponse>(
      [&](Trainer& trainer, bool) { return trainer.Prepare(request); });
  if (response.ok()) prepared_ = request;
  return response;
}

absl::Status ParallelTrainer::Resume() {
  if (first_ != nullptr) return absl::OkStatus();
  if (!prepared_.has_value()) {
    return absl::FailedPreconditionError("the trainer is not prepared");
  }
  log_("starting the processes of all devices again");
  const v1::PrepareRequest again = *prepared_;
  absl::Status status = Prepare(again).status();
  prepared_ = again;  // keeps the request, so that the next call can try again
  return status;
}

absl::StatusOr<v1::TrainResponse> ParallelTrainer::Train(
    const v1::TrainRequest& request) {
  HILUM_RETURN_IF_ERROR(Resume());
  return OnAll<v1::TrainResponse>(
      [&](Trainer& trainer, bool) { return trainer.Train(request); });
}

absl::StatusOr<v1::EvaluateResponse> ParallelTrainer::Evaluate(
    const v1::EvaluateRequest& request) {
  HILUM_RETURN_IF_ERROR(Resume());
  return first_->Evaluate(request);
}

}  // namespace hilum
