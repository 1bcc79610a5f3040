// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/trainer_process.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "site_agent/gateway/service/trainer_answers.h"

namespace hilum {
namespace {

constexpr int kTries = 3;
// A limit of predictions and lists of rows; a hostile trainer's may not end.
constexpr uint64_t kMostNoteBytes = uint64_t{1} << 30;
constexpr uint64_t kRoom = uint64_t{1} << 30;

// The files that Prepare writes for the hospital's staff.
constexpr const char* kNotes[] = {"rejected.csv", "rejected_masks.csv",
                                  "similar_patients.csv", "fingerprint.json"};

// Whether the file system has room, so that a trainer which reports a full disk
// must have another reason.
bool HasRoom(const std::string& folder) {
  struct statvfs info;
  return statvfs(folder.c_str(), &info) == 0 &&
         info.f_bavail * info.f_frsize > kRoom;
}

}  // namespace

TrainerProcess::TrainerProcess(TrainerLauncher& launcher, std::string folder,
                               std::function<void(absl::string_view)> log)
    : launcher_(launcher), folder_(std::move(folder)), log_(std::move(log)) {}

TrainerProcess::~TrainerProcess() {
  Stop();
  End();
}

void TrainerProcess::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  if (client_ != nullptr) client_->Cancel();
  // The trainer takes no other signal
  // (site_agent/trainer/service/trainer_child.h).
  if (pid_ > 0) kill(pid_, SIGKILL);
}

absl::Status TrainerProcess::Start() {
  HILUM_ASSIGN_OR_RETURN(TrainerChild child, launcher_.StartTrainer());
  absl::StatusOr<std::unique_ptr<TrainerOutputLog>> output =
      TrainerOutputLog::Start(std::move(child.output), child.pid, log_);
  if (!output.ok()) {
    launcher_.EndTrainer(child.pid);
    return output.status();
  }
  output_ = *std::move(output);
  absl::MutexLock lock(&mutex_);
  pid_ = child.pid;
  client_ = std::make_unique<TrainerClient>(std::move(child.socket));
  return absl::OkStatus();
}

void TrainerProcess::End(bool wanted) {
  pid_t pid = -1;
  std::unique_ptr<TrainerClient> client;
  {
    absl::MutexLock lock(&mutex_);
    std::swap(pid, pid_);
    client = std::move(client_);
    wanted |= stopped_;
  }
  if (pid <= 0) return;
  const std::string how = launcher_.EndTrainer(pid);
  output_.reset();
  log_(wanted ? absl::StrCat("trainer ", pid, " has done its part")
              : absl::StrCat("trainer ", pid, " ", how));
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

absl::Status TrainerProcess::Judge(const absl::Status& said) {
  {
    absl::MutexLock lock(&mutex_);
    if (stopped_) return absl::CancelledError("stopped");
  }
  absl::Status judged = JudgeTrainerStatus(said);
  if (!absl::IsResourceExhausted(judged)) return judged;
  // A full disk makes all studies wait, so it is believed only so often.
  if (++times_full_[study_sha256_] <= kMostFull || !HasRoom(folder_)) {
    return judged;
  }
  return absl::AbortedError(absl::StrCat(
      "the trainer has said ", kMostFull, " times that its disk is full: ",
      judged.message(), "; there is room on it"));
}

template <typename Request, typename Response>
absl::StatusOr<Response> TrainerProcess::CallChild(
    TrainerClient& child, const Request& request,
    absl::StatusOr<Response> (Trainer::*method)(const Request&)) {
  absl::StatusOr<Response> answer = (child.*method)(request);
  if (!answer.ok()) return Judge(answer.status());
  if constexpr (requires { answer->mutable_warnings(); }) {
    BoundWarnings(*answer->mutable_warnings());
  }
  return answer;
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
      last = CallChild(*child, *prepared_, &Trainer::Prepare).status();
      needs_prepare_ = !last.ok();
      // The next Prepare would take notes left in the trainer's folder for its
      // own.
      HILUM_RETURN_IF_ERROR(PublishNotes());
    }
    if (!needs_prepare_) {
      absl::StatusOr<Response> answer = CallChild(*child, request, method);
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

std::string TrainerProcess::Own(absl::string_view path) const {
  return absl::StrCat(
      folder_, "/",
      std::filesystem::path(std::string(path)).filename().string());
}

absl::Status TrainerProcess::MoveDelta(const std::string& path) const {
  const std::string own = Own(path);
  struct stat info;
  if (lstat(own.c_str(), &info) != 0) {
    return ErrnoStatus(errno, "cannot look at", own);
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::DataLossError(
        absl::StrCat(own, ": the trainer made something else than a file"));
  }
  if (rename(own.c_str(), path.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot move what the trainer wrote to", path);
  }
  return absl::OkStatus();
}

absl::Status TrainerProcess::Publish(const std::string& path) const {
  return TakeTrainersFile(Own(path), path, kMostNoteBytes);
}

absl::Status TrainerProcess::PublishNotes() const {
  if (notes_dir_.empty()) return absl::OkStatus();
  for (const char* note : kNotes) {
    HILUM_RETURN_IF_ERROR(Publish(absl::StrCat(notes_dir_, "/", note)));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::PrepareResponse> TrainerProcess::Prepare(
    const v1::PrepareRequest& request) {
  End(/*wanted=*/true);
  needs_prepare_ = false;
  prepared_.reset();
  v1::PrepareRequest own = request;
  own.set_work_dir(folder_);
  study_sha256_ = Sha256Of(request.study());
  if (!request.notes_dir().empty()) own.set_notes_dir(folder_);
  notes_dir_ = request.notes_dir();
  absl::StatusOr<v1::PrepareResponse> response = Call(own, &Trainer::Prepare);
  if (response.ok()) prepared_ = own;
  // A study that cannot be used has its reasons in the notes.
  HILUM_RETURN_IF_ERROR(PublishNotes());
  return response;
}

absl::StatusOr<v1::TrainResponse> TrainerProcess::Train(
    const v1::TrainRequest& request) {
  v1::TrainRequest own = request;
  own.set_delta_path(Own(request.delta_path()));
  HILUM_ASSIGN_OR_RETURN(v1::TrainResponse response,
                         Call(own, &Trainer::Train));
  HILUM_RETURN_IF_ERROR(MoveDelta(request.delta_path()));
  return response;
}

absl::StatusOr<v1::EvaluateResponse> TrainerProcess::Evaluate(
    const v1::EvaluateRequest& request) {
  v1::EvaluateRequest own = request;
  if (!request.predictions_path().empty()) {
    own.set_predictions_path(Own(request.predictions_path()));
  }
  HILUM_ASSIGN_OR_RETURN(v1::EvaluateResponse response,
                         Call(own, &Trainer::Evaluate));
  if (!request.predictions_path().empty()) {
    HILUM_RETURN_IF_ERROR(Publish(request.predictions_path()));
  }
  return response;
}

}  // namespace hilum
