// SPDX-License-Identifier: Apache-2.0
#include "coordinator/federation_core.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/base/status_macros.h"
#include "common/config/starting_weights.h"
#include "common/crypto/sha256.h"
#include "common/model/tensor_view.h"
#include "coordinator/export.h"
#include "coordinator/site_keys.h"

namespace hilum {
namespace {

absl::Status CheckExport(const ActiveStudy& study, bool partial) {
  const v1::StudyStatus::Phase phase = study.machine().phase();
  if (phase == v1::StudyStatus::COMPLETED) return absl::OkStatus();
  const bool stopped = phase == v1::StudyStatus::STOPPED;
  const bool trained = !study.stored().rounds.empty();
  if (stopped && trained && partial) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "study ", study.study().name(), " is not completed but ",
      absl::AsciiStrToLower(v1::StudyStatus::Phase_Name(phase)),
      study.machine().reason().empty() ? "" : ": ", study.machine().reason(),
      !stopped  ? ""
      : trained ? "; `hilum-coordinator study export --partial` writes its "
                  "last models, marked as not trained to the end"
                : "; it was stopped before its first round was over, so it "
                  "has no models"));
}

}  // namespace

FederationCore::FederationCore(Options options, Clock& clock,
                               StudyBook::Parts parts)
    : book_(std::move(options), clock, std::move(parts),
            [this](const SiteId& site) { polls_.Wake(site); }),
      submissions_(book_),
      closer_(book_),
      polls_(book_) {}

absl::StatusOr<std::unique_ptr<FederationCore>> FederationCore::Open(
    Options options, Clock& clock) {
  HILUM_ASSIGN_OR_RETURN(StudyBook::Parts parts,
                         StudyBook::OpenParts(options.state_dir));
  std::unique_ptr<FederationCore> core(
      new FederationCore(std::move(options), clock, std::move(parts)));
  HILUM_RETURN_IF_ERROR(core->book_.Load());
  core->closer_.Start();
  return core;
}

FederationCore::~FederationCore() {
  Shutdown();
  closer_.Join();
  absl::MutexLock lock(&book_.mutex());
  book_.RemoveObsolete();
}

void FederationCore::Shutdown() {
  book_.Shutdown();
  polls_.Shutdown();
}

absl::StatusOr<std::string> FederationCore::SubmitStudy(
    v1::Study study, const std::string& weights_path,
    const SubmissionOptions& options, std::vector<std::string>* warnings) {
  HILUM_RETURN_IF_ERROR(
      PinSiteKeys(options.site_certificates,
                  {.authority_pem = book_.options().authority_pem,
                   .consortium = book_.options().consortium,
                   .now = book_.clock().Now()},
                  study));
  absl::MutexLock submission(&book_.submission_mutex());
  const std::string name = study.name();
  SubmissionNotes notes;
  HILUM_ASSIGN_OR_RETURN(
      StoredStudy stored,
      PrepareSubmission(std::move(study), weights_path, options.weights,
                        book_.blobs(), &notes));
  if (!notes.left_off.empty()) {
    book_.Log(absl::StrCat("study ", name, ": '", Shown(notes.left_off),
                           "', with which all names of ", weights_path,
                           " begin, was left off"));
  }
  for (const std::string& warning : notes.warnings) {
    book_.Log(absl::StrCat("study ", name, ": ", warning));
  }
  if (warnings != nullptr) *warnings = std::move(notes.warnings);
  HILUM_RETURN_IF_ERROR(NumberSubmission(
      [this](const std::string& hash) { return book_.WasStopped(hash); },
      stored));
  HILUM_ASSIGN_OR_RETURN(ActiveStudy active, book_.Activate(stored));
  book_.Log(absl::StrCat("study ", name, ": starting weights ",
                         DescribeStartingWeights(active.study())));
  absl::MutexLock lock(&book_.mutex());
  absl::Status added = book_.Add(stored, std::move(active));
  if (absl::IsAlreadyExists(added)) {
    return absl::AlreadyExistsError(absl::StrCat(
        "this very study was submitted before; its hash is ",
        ToHex(stored.hash),
        ". Once it is stopped (`hilum-coordinator study stop`) it can be "
        "submitted again"));
  }
  HILUM_RETURN_IF_ERROR(added);
  return stored.hash;
}

std::vector<v1::StudyStatus> FederationCore::ListStudies() {
  absl::MutexLock lock(&book_.mutex());
  std::vector<v1::StudyStatus> list;
  for (const auto& study : book_.studies()) list.push_back(study->Status());
  return list;
}

absl::StatusOr<v1::StudyStatus> FederationCore::StatusOf(
    absl::string_view prefix) {
  absl::MutexLock lock(&book_.mutex());
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, book_.Find(prefix));
  return study->Status();
}

absl::StatusOr<v1::StudyStatus> FederationCore::WaitForChange(
    absl::string_view prefix, const v1::StudyStatus& last,
    absl::Duration longest) {
  absl::Time until = book_.clock().Now() + longest;
  std::string before = last.SerializeAsString();
  absl::MutexLock lock(&book_.mutex());
  for (;;) {
    if (book_.is_shut_down()) return absl::UnavailableError("shutting down");
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, book_.Find(prefix));
    v1::StudyStatus status = study->Status();
    absl::Duration left = until - book_.clock().Now();
    if (status.SerializeAsString() != before || left <= absl::ZeroDuration()) {
      return status;
    }
    book_.WaitForChange(left);
  }
}

absl::StatusOr<v1::StudyStatus> FederationCore::StopStudy(
    absl::string_view prefix) {
  absl::MutexLock lock(&book_.mutex());
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, book_.Find(prefix));
  if (study->Ended()) {
    return absl::FailedPreconditionError("the study has ended already");
  }
  study->machine().Stop("stopped by the coordinator's operator");
  book_.Advance(*study);
  if (!study->PhaseIsStored()) {
    return absl::ResourceExhaustedError(
        "the study is stopped, but that cannot be stored; it is tried again "
        "until the disk takes it, and lost if the coordinator ends before");
  }
  return study->Status();
}

absl::StatusOr<std::vector<std::string>> FederationCore::ExportStudy(
    absl::string_view prefix, const std::string& directory, bool partial) {
  StoredStudy stored;
  {
    absl::MutexLock lock(&book_.mutex());
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, book_.Find(prefix));
    HILUM_RETURN_IF_ERROR(CheckExport(*study, partial));
    stored = study->stored();
  }
  return WriteExport(stored, book_.blobs(), directory);
}

absl::StatusOr<v1::NextTaskResponse> FederationCore::NextTask(
    const SiteId& site, const v1::NextTaskRequest& request) {
  absl::Notification answered;
  absl::StatusOr<v1::NextTaskResponse> answer;
  StartNextTask(site, request, [&](absl::StatusOr<v1::NextTaskResponse> came) {
    answer = std::move(came);
    answered.Notify();
  });
  answered.WaitForNotification();
  return answer;
}

}  // namespace hilum
