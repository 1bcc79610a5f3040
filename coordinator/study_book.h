// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_STUDY_BOOK_H_
#define HILUM_COORDINATOR_STUDY_BOOK_H_

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/folder_lock.h"
#include "common/base/ids.h"
#include "coordinator/active_study.h"
#include "coordinator/federation_options.h"
#include "coordinator/storage/blob_store.h"
#include "coordinator/storage/storage.h"
#include "coordinator/storage/upload_spool.h"

namespace hilum {

// FAILED_PRECONDITION: the site speaks another protocol version.
absl::Status CheckSiteVersion(const v1::Header& header);

// Returns the key under which the spool has a site's vector of a round.
UploadSpool::Key UploadKey(const SiteId& site, const v1::Header& header,
                           const v1::BlobRef& blob);
// Returns the uploads that the study's sites may fetch; kept until the next
// sum.
std::set<UploadSpool::Key> KeptVectors(const ActiveStudy& study);

// The coordinator's studies, in memory and on disk, under one lock: the site's
// calls (SitePolls, SiteSubmissions), the operator's (FederationCore) and the
// thread that closes rounds (RoundCloser) all work on them. The state folder is
// locked while the object lives. Thread-safe; elements of studies() do not move
// in memory, and stay until the end.
class StudyBook {
 public:
  struct Parts {
    FolderLock folder;
    BlobStore blobs;
    std::unique_ptr<UploadSpool> uploads;
    std::unique_ptr<Storage> storage;
  };
  // Takes the folder and opens what is in it. FAILED_PRECONDITION: another
  // process has the folder.
  static absl::StatusOr<Parts> OpenParts(const std::string& state_dir);

  // `wake` is called when there may be work for a site. `clock` outlives this
  // object.
  StudyBook(FederationOptions options, Clock& clock, Parts parts,
            std::function<void(const SiteId&)> wake);

  // Takes up the studies that are on disk. Call once, before all others.
  absl::Status Load();

  absl::Mutex& mutex() ABSL_LOCK_RETURNED(mutex_) { return mutex_; }
  // Held from a new study's first blob until the study is in studies(), and
  // while unused blobs are deleted; before mutex().
  absl::Mutex& submission_mutex() ABSL_LOCK_RETURNED(submission_mutex_) {
    return submission_mutex_;
  }
  const FederationOptions& options() const { return options_; }
  Clock& clock() const { return clock_; }
  const BlobStore& blobs() const { return blobs_; }
  UploadSpool& uploads() const { return *uploads_; }
  Storage& storage() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return *storage_; }
  void Log(absl::string_view line) const { options_.log(line); }

  // In order of submission.
  const std::vector<std::unique_ptr<ActiveStudy>>& studies() const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return studies_;
  }
  absl::StatusOr<ActiveStudy> Activate(StoredStudy stored);
  // Stores a new study. ALREADY_EXISTS: it is here.
  absl::Status Add(const StoredStudy& stored, ActiveStudy study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns whether the study with this hash is here and was stopped.
  bool WasStopped(const std::string& hash) ABSL_LOCKS_EXCLUDED(mutex_);
  // Returns the study of a header, if the site takes part in it.
  absl::StatusOr<ActiveStudy*> StudyOf(const SiteId& site,
                                       const v1::Header& header)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `prefix`: first bytes of the raw hash. NOT_FOUND; INVALID_ARGUMENT: several
  // studies begin so.
  absl::StatusOr<ActiveStudy*> Find(absl::string_view prefix)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Advances the study, stores its phase and sum where they changed, and wakes
  // all that wait for the study.
  void Advance(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Lets the round go on without the site, unless it has answered.
  void Refuse(ActiveStudy& study, const SiteId& site,
              const absl::Status& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The studies with a closed round that is not yet summed.
  std::vector<ActiveStudy*>& to_aggregate()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return to_aggregate_;
  }
  absl::Time NextDeadline() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool AllPhasesAreStored() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Mark files of committed rounds and lost sums, for RemoveObsolete. A blob
  // that a study still uses then stays.
  void DropBlob(const std::string& sha256)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropUpload(UploadSpool::Key key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasObsolete() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Deletes the marked files, and those of ended studies. Releases the lock
  // meanwhile, so that sites go on with the next round.
  void RemoveObsolete() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Waits for a change, at most so long.
  void WaitForChange(absl::Duration longest)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    changed_.WaitWithTimeout(&mutex_, longest);
  }
  // Wakes all that wait; later calls of sites answer UNAVAILABLE.
  void Shutdown() ABSL_LOCKS_EXCLUDED(mutex_);
  bool is_shut_down() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return shutdown_;
  }

 private:
  // Continues the study's interrupted sum, where all its data is here.
  void ResumeSum(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns whether a study uses the blob: equal starting weights share one.
  bool IsUsed(const std::string& sha256) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Stores the phase; returns whether it changed on disk.
  bool StorePhase(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Stores the record of the sum before its last step begins.
  void StoreSum(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Wakes the polls of the study's sites: something may have changed for them.
  void WakeSites(const ActiveStudy& study);

  const FederationOptions options_;
  Clock& clock_;
  const std::unique_ptr<PeerVerifier> verifier_;  // null: there is no authority
  const FolderLock folder_;                       // released last
  const BlobStore blobs_;
  const std::unique_ptr<UploadSpool> uploads_;
  const std::function<void(const SiteId&)> wake_;

  absl::Mutex submission_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  const std::unique_ptr<Storage> storage_ ABSL_PT_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<ActiveStudy>> studies_ ABSL_GUARDED_BY(mutex_);
  std::vector<ActiveStudy*> to_aggregate_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> obsolete_blobs_ ABSL_GUARDED_BY(mutex_);
  std::vector<UploadSpool::Key> obsolete_uploads_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> ended_studies_ ABSL_GUARDED_BY(mutex_);  // hashes
  bool shutdown_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_STUDY_BOOK_H_
