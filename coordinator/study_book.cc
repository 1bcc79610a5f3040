// SPDX-License-Identifier: Apache-2.0
#include "coordinator/study_book.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/crypto/secure_rng.h"
#include "common/crypto/sha256.h"
#include "common/crypto/short_hash.h"

namespace hilum {

absl::Status CheckSiteVersion(const v1::Header& header) {
  if (header.protocol_version() == kProtocolVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the site speaks protocol ", header.protocol_version(),
                   ", this coordinator ", kProtocolVersion,
                   "; install the same release on both"));
}

UploadSpool::Key UploadKey(const SiteId& site, const v1::Header& header,
                           const v1::BlobRef& blob) {
  return {.study_hash = header.study_hash(),
          .site = site,
          .round = header.round(),
          .sha256 = blob.sha256(),
          .size = blob.size()};
}

std::set<UploadSpool::Key> KeptVectors(const ActiveStudy& study) {
  std::set<UploadSpool::Key> keys;
  if (study.Ended() || !study.stored().sums.has_value()) return keys;
  const v1::SumsRecord& sums = *study.stored().sums;
  for (const v1::SumsRecord::Vector& vector : sums.vectors()) {
    keys.insert(UploadKey(SiteId(vector.site()), study.MakeHeader(sums.round()),
                          vector.vector()));
  }
  return keys;
}

absl::StatusOr<StudyBook::Parts> StudyBook::OpenParts(
    const std::string& state_dir) {
  HILUM_RETURN_IF_ERROR(MakeDirectories(state_dir));
  // Takes the lock before all else: the following code removes temporary files.
  HILUM_ASSIGN_OR_RETURN(FolderLock folder,
                         FolderLock::Take(state_dir, "hilum-coordinator"));
  HILUM_ASSIGN_OR_RETURN(BlobStore blobs,
                         BlobStore::Open(absl::StrCat(state_dir, "/blobs")));
  HILUM_ASSIGN_OR_RETURN(
      std::unique_ptr<UploadSpool> uploads,
      UploadSpool::Open(absl::StrCat(state_dir, "/uploads")));
  HILUM_ASSIGN_OR_RETURN(
      std::unique_ptr<Storage> storage,
      Storage::Open(absl::StrCat(state_dir, "/coordinator.db")));
  return Parts{std::move(folder), std::move(blobs), std::move(uploads),
               std::move(storage)};
}

StudyBook::StudyBook(FederationOptions options, Clock& clock, Parts parts,
                     std::function<void(const SiteId&)> wake)
    : options_(std::move(options)),
      clock_(clock),
      verifier_(options_.authority_pem.empty()
                    ? nullptr
                    : std::make_unique<PeerVerifier>(
                          options_.authority_pem, options_.consortium, clock)),
      folder_(std::move(parts.folder)),
      blobs_(std::move(parts.blobs)),
      uploads_(std::move(parts.uploads)),
      wake_(std::move(wake)),
      storage_(std::move(parts.storage)) {}

absl::Status StudyBook::Load() {
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
    const std::string hash = ShortHash(stored.hash);
    absl::StatusOr<ActiveStudy> study = Activate(std::move(stored));
    if (!study.ok()) {  // the others go on
      options_.log(absl::StrCat(
          "error: study ", hash, " is left as it is on disk, this ",
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

absl::StatusOr<ActiveStudy> StudyBook::Activate(StoredStudy stored) {
  return ActiveStudy::Create(std::move(stored), verifier_.get(),
                             &RealSecureRng(), clock_.Now());
}

absl::Status StudyBook::Add(const StoredStudy& stored, ActiveStudy study) {
  HILUM_RETURN_IF_ERROR(storage_->AddStudy(stored));
  studies_.push_back(std::make_unique<ActiveStudy>(std::move(study)));
  WakeSites(*studies_.back());
  changed_.SignalAll();
  return absl::OkStatus();
}

void StudyBook::ResumeSum(ActiveStudy& study) {
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

bool StudyBook::WasStopped(const std::string& hash) {
  absl::MutexLock lock(&mutex_);
  return std::any_of(studies_.begin(), studies_.end(), [&](const auto& study) {
    return study->stored().hash == hash &&
           study->machine().phase() == v1::StudyStatus::STOPPED;
  });
}

absl::StatusOr<ActiveStudy*> StudyBook::StudyOf(const SiteId& site,
                                                const v1::Header& header) {
  HILUM_RETURN_IF_ERROR(CheckSiteVersion(header));
  if (shutdown_) return absl::UnavailableError("coordinator shutting down");
  for (const auto& study : studies_) {
    if (study->stored().hash != header.study_hash()) continue;
    if (study->HasSite(site)) return study.get();
    return absl::PermissionDeniedError(absl::StrCat(
        "site ", site.name(), " is not of study ", study->study().name()));
  }
  return absl::NotFoundError(
      absl::StrCat("no study ", ToHex(header.study_hash()), " here"));
}

absl::StatusOr<ActiveStudy*> StudyBook::Find(absl::string_view prefix) {
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

void StudyBook::Refuse(ActiveStudy& study, const SiteId& site,
                       const absl::Status& reason) {
  if (study.machine().answered().contains(site)) return;
  options_.log(absl::StrCat("warning: study ", study.study().name(), ", round ",
                            study.machine().round(), ": ", site.name(),
                            " is out of this round: ", reason.message()));
  study.machine().Refuse(site, std::string(reason.message()));
  Advance(study);
}

bool StudyBook::StorePhase(ActiveStudy& study) {
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
  if (study.Ended()) {
    ended_studies_.push_back(stored.hash);
    DropBlob(stored.optimizer.sha256());  // nobody goes on from it
  }
  options_.log(absl::StrCat("study ", study.study().name(), ": ",
                            v1::StudyStatus::Phase_Name(phase),
                            reason.empty() ? "" : ": ", reason));
  if (const std::string warning = study.Status().warning(); !warning.empty()) {
    options_.log(
        absl::StrCat("study ", study.study().name(), ": WARNING: ", warning));
  }
  return true;
}

void StudyBook::StoreSum(ActiveStudy& study) {
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

void StudyBook::Advance(ActiveStudy& study) {
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
  WakeSites(study);
  changed_.SignalAll();
}

void StudyBook::WakeSites(const ActiveStudy& study) {
  for (const std::string& site : study.study().sites()) wake_(SiteId(site));
}

absl::Time StudyBook::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& study : studies_) {
    if (!study->Ended()) next = std::min(next, study->machine().deadline());
  }
  return next;
}

bool StudyBook::AllPhasesAreStored() const {
  return std::all_of(studies_.begin(), studies_.end(),
                     [](const auto& study) { return study->PhaseIsStored(); });
}

void StudyBook::DropBlob(const std::string& sha256) {
  if (!sha256.empty()) obsolete_blobs_.push_back(sha256);
}

void StudyBook::DropUpload(UploadSpool::Key key) {
  obsolete_uploads_.push_back(std::move(key));
}

bool StudyBook::HasObsolete() const {
  return !obsolete_blobs_.empty() || !obsolete_uploads_.empty() ||
         !ended_studies_.empty();
}

bool StudyBook::IsUsed(const std::string& sha256) const {
  return std::any_of(studies_.begin(), studies_.end(), [&](const auto& study) {
    return study->stored().best.sha256() == sha256 ||
           study->stored().frozen.sha256() == sha256 || study->IsServed(sha256);
  });
}

void StudyBook::RemoveObsolete() {
  std::vector<std::string> blobs = std::exchange(obsolete_blobs_, {});
  std::vector<UploadSpool::Key> uploads = std::exchange(obsolete_uploads_, {});
  std::vector<std::string> studies = std::exchange(ended_studies_, {});
  mutex_.Unlock();
  for (const UploadSpool::Key& key : uploads) uploads_->Remove(key);
  for (const std::string& hash : studies) uploads_->RemoveStudy(hash);
  {
    absl::MutexLock submission(&submission_mutex_);
    for (const std::string& sha256 : blobs) {
      mutex_.Lock();
      const bool used = IsUsed(sha256);
      mutex_.Unlock();
      if (!used) blobs_.Remove(sha256);
    }
  }
  mutex_.Lock();
}

void StudyBook::Shutdown() {
  absl::MutexLock lock(&mutex_);
  shutdown_ = true;
  changed_.SignalAll();
}

}  // namespace hilum
