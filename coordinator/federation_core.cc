// SPDX-License-Identifier: Apache-2.0
// The operator's calls and the stored studies; sites' calls are in
// federation_calls.cc, the thread that closes rounds is in
// federation_rounds.cc.
#include "coordinator/federation_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/secure_rng.h"
#include "common/crypto/sha256.h"
#include "common/model/tensor_view.h"
#include "coordinator/export.h"
#include "coordinator/site_keys.h"
#include "coordinator/submission.h"

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

FederationCore::FederationCore(Options options, Clock& clock, FolderLock folder,
                               BlobStore blobs,
                               std::unique_ptr<UploadSpool> uploads,
                               std::unique_ptr<Storage> storage)
    : options_(std::move(options)),
      clock_(clock),
      verifier_(options_.authority_pem.empty()
                    ? nullptr
                    : std::make_unique<PeerVerifier>(
                          options_.authority_pem, options_.consortium, clock)),
      folder_(std::move(folder)),
      blobs_(std::move(blobs)),
      uploads_(std::move(uploads)),
      storage_(std::move(storage)),
      polls_(
          [this](const SiteId& site, const v1::NextTaskRequest& request) {
            return Ask(site, request);
          },
          [this](const SiteId& site) { OnIdle(site); }, clock_) {}

absl::StatusOr<std::unique_ptr<FederationCore>> FederationCore::Open(
    Options options, Clock& clock) {
  const std::string& dir = options.state_dir;
  HILUM_RETURN_IF_ERROR(MakeDirectories(dir));
  // Takes the lock before all else: the following code removes temporary files.
  HILUM_ASSIGN_OR_RETURN(FolderLock folder,
                         FolderLock::Take(dir, "hilum-coordinator"));
  HILUM_ASSIGN_OR_RETURN(BlobStore blobs,
                         BlobStore::Open(absl::StrCat(dir, "/blobs")));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<UploadSpool> uploads,
                         UploadSpool::Open(absl::StrCat(dir, "/uploads")));
  HILUM_ASSIGN_OR_RETURN(std::unique_ptr<Storage> storage,
                         Storage::Open(absl::StrCat(dir, "/coordinator.db")));
  std::unique_ptr<FederationCore> core(new FederationCore(
      std::move(options), clock, std::move(folder), std::move(blobs),
      std::move(uploads), std::move(storage)));
  HILUM_RETURN_IF_ERROR(core->Load());
  core->driver_ = std::thread([raw = core.get()] { raw->Drive(); });
  return core;
}

FederationCore::~FederationCore() {
  Shutdown();
  if (driver_.joinable()) driver_.join();
  absl::MutexLock lock(&mutex_);
  RemoveObsolete();
}

void FederationCore::Shutdown() {
  {
    absl::MutexLock lock(&mutex_);
    shutdown_ = true;
    changed_.SignalAll();
  }
  polls_.Shutdown();
}

absl::Status FederationCore::Load() {
  absl::MutexLock lock(&mutex_);
  HILUM_ASSIGN_OR_RETURN(std::vector<StoredStudy> all, storage_->LoadStudies());
  for (StoredStudy& stored : all) {
    // A crashed process may have left them.
    if (stored.phase >= v1::StudyStatus::COMPLETED) {
      ended_studies_.push_back(stored.hash);
    }
    // An update counts only while its bytes are here: a machine that lost power
    // may have kept the row but not the file.
    std::erase_if(stored.updates, [&](const auto& entry) {
      return !uploads_
                  ->Complete(UploadKey(entry.first, entry.second.header(),
                                       entry.second.update()))
                  .ok();
    });
    const std::string hash = ToHex(stored.hash);
    absl::StatusOr<ActiveStudy> study = Activate(std::move(stored));
    if (!study.ok()) {  // the others go on
      options_.log(absl::StrCat(
          "error: study ", hash.substr(0, 12),
          " is left as it is on disk, this ",
          "version cannot work on it: ", study.status().message()));
      continue;
    }
    studies_.push_back(std::make_unique<ActiveStudy>(*std::move(study)));
    if (!studies_.back()->Ended()) {
      uploads_->Keep(studies_.back()->stored().hash,
                     KeptVectors(*studies_.back()));
    }
    ResumeSum(*studies_.back());
    Advance(*studies_.back());
  }
  return absl::OkStatus();
}

absl::StatusOr<ActiveStudy> FederationCore::Activate(StoredStudy stored) {
  return ActiveStudy::Create(std::move(stored), verifier_.get(),
                             &RealSecureRng(), clock_.Now());
}

void FederationCore::ResumeSum(ActiveStudy& study) {
  if (study.Ended() || !study.stored().sum.has_value()) return;
  const v1::SecureSumRecord& record = *study.stored().sum;
  absl::Status status;
  for (const v1::SecureSumRecord::Entry& entry : record.entries()) {
    if (!entry.said().has_masked()) continue;
    status.Update(uploads_
                      ->Complete(UploadKey(SiteId(entry.site()),
                                           study.MakeHeader(record.round()),
                                           entry.said().masked()))
                      .status());
  }
  if (status.ok()) status = study.machine().Resume(record, clock_.Now());
  if (status.ok()) return;
  if (study.machine().phase() == v1::StudyStatus::TRAINING) {
    // Gives the sum up. Sites that have revealed shares in it would take part
    // in no other sum, and without them the study might stop.
    study.machine().LoseSum(absl::StrCat("with a restart: ", status.message()));
    to_aggregate_.push_back(&study);
    return;
  }
  options_.log(
      absl::StrCat("study ", study.study().name(), ", round ", record.round(),
                   ": its masked sum begins anew: ", status.message()));
}

absl::StatusOr<std::string> FederationCore::SubmitStudy(
    v1::Study study, const std::string& weights_path,
    const SubmissionOptions& options) {
  HILUM_RETURN_IF_ERROR(PinSiteKeys(options.site_certificates,
                                    {.authority_pem = options_.authority_pem,
                                     .consortium = options_.consortium,
                                     .now = clock_.Now()},
                                    study));
  absl::MutexLock submission(&submission_mutex_);
  const std::string name = study.name();
  std::string left_off;
  HILUM_ASSIGN_OR_RETURN(StoredStudy stored,
                         PrepareSubmission(std::move(study), weights_path,
                                           options.weights, blobs_, &left_off));
  if (!left_off.empty()) {
    options_.log(absl::StrCat("study ", name, ": '", Shown(left_off),
                              "', with which all names of ", weights_path,
                              " begin, was left off"));
  }
  HILUM_RETURN_IF_ERROR(NumberSubmission(
      [this](const std::string& hash) { return WasStopped(hash); }, stored));
  HILUM_ASSIGN_OR_RETURN(ActiveStudy active, Activate(stored));
  absl::MutexLock lock(&mutex_);
  absl::Status added = storage_->AddStudy(stored);
  if (absl::IsAlreadyExists(added)) {
    return absl::AlreadyExistsError(absl::StrCat(
        "this very study was submitted before; its hash is ",
        ToHex(stored.hash),
        ". Once it is stopped (`hilum-coordinator study stop`) it can be "
        "submitted again"));
  }
  HILUM_RETURN_IF_ERROR(added);
  studies_.push_back(std::make_unique<ActiveStudy>(std::move(active)));
  WakePolls(*studies_.back());
  changed_.SignalAll();
  return stored.hash;
}

bool FederationCore::WasStopped(const std::string& hash) {
  absl::MutexLock lock(&mutex_);
  return std::any_of(studies_.begin(), studies_.end(), [&](const auto& study) {
    return study->stored().hash == hash &&
           study->machine().phase() == v1::StudyStatus::STOPPED;
  });
}

std::vector<v1::StudyStatus> FederationCore::ListStudies() {
  absl::MutexLock lock(&mutex_);
  std::vector<v1::StudyStatus> list;
  for (const auto& study : studies_) list.push_back(study->Status());
  return list;
}

absl::StatusOr<ActiveStudy*> FederationCore::Find(absl::string_view prefix) {
  ActiveStudy* found = nullptr;
  for (const auto& study : studies_) {
    if (!absl::StartsWith(study->stored().hash, prefix)) continue;
    if (found != nullptr) {
      return absl::InvalidArgumentError(
          "several studies begin so; give more digits of the hash");
    }
    found = study.get();
  }
  if (found != nullptr) return found;
  return absl::NotFoundError(
      "no such study here; `hilum-coordinator study list` shows them");
}

absl::StatusOr<v1::StudyStatus> FederationCore::StatusOf(
    absl::string_view prefix) {
  absl::MutexLock lock(&mutex_);
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, Find(prefix));
  return study->Status();
}

absl::StatusOr<v1::StudyStatus> FederationCore::WaitForChange(
    absl::string_view prefix, const v1::StudyStatus& last,
    absl::Duration longest) {
  absl::Time until = clock_.Now() + longest;
  std::string before = last.SerializeAsString();
  absl::MutexLock lock(&mutex_);
  for (;;) {
    if (shutdown_) return absl::UnavailableError("shutting down");
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, Find(prefix));
    v1::StudyStatus status = study->Status();
    absl::Duration left = until - clock_.Now();
    if (status.SerializeAsString() != before || left <= absl::ZeroDuration()) {
      return status;
    }
    changed_.WaitWithTimeout(&mutex_, left);
  }
}

absl::StatusOr<v1::StudyStatus> FederationCore::StopStudy(
    absl::string_view prefix) {
  absl::MutexLock lock(&mutex_);
  HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, Find(prefix));
  if (study->Ended()) {
    return absl::FailedPreconditionError("the study has ended already");
  }
  study->machine().Stop("stopped by the coordinator's operator");
  Advance(*study);
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
    absl::MutexLock lock(&mutex_);
    HILUM_ASSIGN_OR_RETURN(ActiveStudy * study, Find(prefix));
    HILUM_RETURN_IF_ERROR(CheckExport(*study, partial));
    stored = study->stored();
  }
  return WriteExport(stored, blobs_, directory);
}

bool FederationCore::StorePhase(ActiveStudy& study) {
  StoredStudy& stored = study.stored();
  const v1::StudyStatus::Phase phase = study.machine().phase();
  if (stored.phase == phase) return false;
  const std::string& reason = study.machine().reason();
  absl::Status status = storage_->SetPhase(stored.hash, phase, reason);
  if (!status.ok()) {
    options_.log(absl::StrCat("error: study ", study.study().name(),
                              ": cannot store that it is ",
                              v1::StudyStatus::Phase_Name(phase),
                              ", trying again soon: ", status.message()));
    return false;
  }
  stored.phase = phase;
  stored.reason = reason;
  if (study.Ended()) ended_studies_.push_back(stored.hash);
  options_.log(absl::StrCat("study ", study.study().name(), ": ",
                            v1::StudyStatus::Phase_Name(phase),
                            reason.empty() ? "" : ": ", reason));
  if (const std::string warning = study.Status().warning(); !warning.empty()) {
    options_.log(
        absl::StrCat("study ", study.study().name(), ": WARNING: ", warning));
  }
  return true;
}

void FederationCore::StoreSum(ActiveStudy& study) {
  if (!study.machine().HasRecordToStore()) return;
  absl::Status status =
      storage_->PutSum(study.stored().hash, study.machine().sum()->record());
  if (status.ok()) {
    study.machine().RecordStored();
    return;
  }
  options_.log(absl::StrCat("error: study ", study.study().name(), ", round ",
                            study.machine().round(),
                            ": cannot store its masked sum, trying again ",
                            "soon: ", status.message()));
}

void FederationCore::Advance(ActiveStudy& study) {
  using Command = StudyMachine::Command;
  for (;;) {
    Command command = study.machine().Next(clock_.Now());
    bool moved = StorePhase(study);
    StoreSum(study);
    for (const auto& [site, vector] : study.machine().TakeLostVectors()) {
      obsolete_uploads_.push_back(
          UploadKey(site, study.MakeHeader(study.machine().round()), vector));
    }
    if (command == Command::kAggregate) to_aggregate_.push_back(&study);
    if (command != Command::kNone || !moved) break;
  }
  WakePolls(study);
  changed_.SignalAll();
}

absl::Time FederationCore::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& study : studies_) {
    if (!study->Ended()) next = std::min(next, study->machine().deadline());
  }
  return next;
}

bool FederationCore::AllPhasesAreStored() const {
  return std::all_of(studies_.begin(), studies_.end(),
                     [](const auto& study) { return study->PhaseIsStored(); });
}

}  // namespace hilum
