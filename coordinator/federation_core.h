// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_FEDERATION_CORE_H_
#define HILUM_COORDINATOR_FEDERATION_CORE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/aggregation/fed_avg.h"
#include "common/aggregation/sum_vectors.h"
#include "common/base/clock.h"
#include "common/base/folder_lock.h"
#include "coordinator/active_study.h"
#include "coordinator/federation_handler.h"
#include "coordinator/storage/blob_store.h"
#include "coordinator/storage/storage.h"
#include "coordinator/storage/upload_spool.h"
#include "coordinator/submission.h"
#include "coordinator/waiting_polls.h"
#include "hilum/v1/admin.pb.h"

namespace hilum {

// The coordinator: studies, their rounds, their blobs. Answers sites (the
// FederationHandler calls) and the operator (the rest). Rounds are closed by
// a thread of its own, so no site waits for an aggregation in its call.
// Whatever it has acknowledged is in its state folder: a new object on the
// same folder goes on where the last one stood. The folder is locked while
// the object lives.
// Thread-safe.
class FederationCore : public FederationHandler {
 public:
  struct Options {
    std::string state_dir;
    // Signs receipts (DER); empty signatures where not given.
    std::function<std::string(absl::string_view)> sign;
    // By which sites know each other in secure aggregation. Empty: no study
    // with it is taken.
    std::string authority_pem;
    std::string consortium;
    // Operator's log, one line a call.
    std::function<void(absl::string_view)> log = [](absl::string_view) {};
    // Whether a site is refused whose checksum is not that of its vector. Sites
    // find a false sum either way; without, all of them then refuse the study.
    bool check_checksums = true;
    // Between tries of what the disk did not take.
    absl::Duration retry_after = absl::Seconds(10);
  };

  // FAILED_PRECONDITION: another one has the folder.
  static absl::StatusOr<std::unique_ptr<FederationCore>> Open(Options options,
                                                              Clock& clock);
  ~FederationCore() override;

  // --- The operator's side.
  // Fills defaults and starting weights (from the study's seed, or from a
  // file as PrepareSubmission takes it), pins the sites' keys as PinSiteKeys
  // does and returns the study's hash (32 raw bytes). INVALID_ARGUMENT names
  // the field, tensor or site. UNAUTHENTICATED: a certificate that is not of
  // this consortium. ALREADY_EXISTS: this very study is here, and was not
  // stopped; after that it is taken once more, as another submission.
  absl::StatusOr<std::string> SubmitStudy(
      v1::Study study, const std::string& weights_path,
      const SubmissionOptions& options = {});
  std::vector<v1::StudyStatus> ListStudies();
  // `prefix`: of the hash, raw; empty: the only one. NOT_FOUND,
  // INVALID_ARGUMENT (ambiguous).
  absl::StatusOr<v1::StudyStatus> StatusOf(absl::string_view prefix);
  // Waits until the status is another than `last`, or `longest` has passed.
  absl::StatusOr<v1::StudyStatus> WaitForChange(absl::string_view prefix,
                                                const v1::StudyStatus& last,
                                                absl::Duration longest);
  // RESOURCE_EXHAUSTED: stopped, but not yet on disk; that is tried again.
  absl::StatusOr<v1::StudyStatus> StopStudy(absl::string_view prefix);
  // Writes models and reports; the files written, relative to `directory`.
  // `partial`: also of a study that was stopped after a round of training.
  // FAILED_PRECONDITION: not completed, nor stopped so.
  absl::StatusOr<std::vector<std::string>> ExportStudy(
      absl::string_view prefix, const std::string& directory,
      bool partial = false);
  // Wakes every waiting call; they and later ones answer UNAVAILABLE.
  void Shutdown();

  // --- The sites' side (waiting for work: federation_polls.cc).
  uint64_t StartNextTask(const SiteId& site, const v1::NextTaskRequest& request,
                         PollDone done) override;
  void CancelPoll(uint64_t poll) override;
  absl::StatusOr<v1::NextTaskResponse> NextTask(
      const SiteId& site, const v1::NextTaskRequest& request) override;
  absl::StatusOr<v1::FetchBlobResponse> FetchBlob(
      const SiteId& site, const v1::FetchBlobRequest& request) override;
  absl::StatusOr<v1::UploadChunkResponse> UploadChunk(
      const SiteId& site, const v1::UploadChunkRequest& request) override;
  absl::StatusOr<v1::SubmitResponse> SubmitCensus(
      const SiteId& site, const v1::SubmitCensusRequest& request) override;
  absl::StatusOr<v1::SubmitResponse> SubmitUpdate(
      const SiteId& site, const v1::SubmitUpdateRequest& request) override;
  absl::StatusOr<v1::SubmitResponse> SubmitEvaluation(
      const SiteId& site, const v1::SubmitEvaluationRequest& request) override;
  absl::StatusOr<v1::SubmitResponse> SubmitSecureStep(
      const SiteId& site, const v1::SubmitSecureStepRequest& request) override;

 private:
  FederationCore(Options options, Clock& clock, FolderLock folder,
                 BlobStore blobs, std::unique_ptr<UploadSpool> uploads,
                 std::unique_ptr<Storage> storage);
  absl::Status Load();
  absl::StatusOr<ActiveStudy> Activate(StoredStudy stored);
  // Whether the study of this hash is here and was stopped.
  bool WasStopped(const std::string& hash) ABSL_LOCKS_EXCLUDED(mutex_);
  // Goes on with the sum that the study was in, where all of it is here.
  void ResumeSum(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  static absl::Status CheckVersion(const v1::Header& header);
  // The study of a header, if the site takes part in it.
  absl::StatusOr<ActiveStudy*> StudyOf(const SiteId& site,
                                       const v1::Header& header)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<ActiveStudy*> Find(absl::string_view prefix)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether `study` has an answer for this site now.
  bool Answer(ActiveStudy& study, const SiteId& site,
              const v1::NextTaskRequest& request,
              v1::NextTaskResponse& response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // An answer for the site from any of its studies; nothing: none has one.
  absl::StatusOr<std::optional<v1::NextTaskResponse>> Ask(
      const SiteId& site, const v1::NextTaskRequest& request);
  // Says, once an hour at most, that no study names the site.
  void OnIdle(const SiteId& site);
  // Something may have changed for the study's sites.
  void WakePolls(const ActiveStudy& study);
  // Moves the study on and stores its phase where it changed.
  void Advance(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Refuse(ActiveStudy& study, const SiteId& site,
              const absl::Status& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the site's census. Repeating is harmless.
  absl::Status PutCensus(ActiveStudy& study, const SiteId& site,
                         const v1::SubmitCensusRequest& census)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The site is unable; its census, if any, stays stored and is marked so.
  absl::Status Withdraw(ActiveStudy& study, const SiteId& site,
                        v1::UnableReason reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Studies that start alike share their first blob.
  bool IsUsed(const std::string& sha256) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the study's phase is another one on disk than before.
  bool StorePhase(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What brings it to its sum's last step, before sites are asked to take it.
  void StoreSum(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the checksum in a site's keys is that of what it gave to the last
  // sum: a false one would make all others take that sum for forged.
  absl::Status CheckChecksum(const SiteId& site,
                             const v1::SubmitSecureStepRequest& request);
  absl::StatusOr<v1::FetchBlobResponse> FetchVector(
      const UploadSpool::Key& key, const v1::FetchBlobRequest& request);
  // Whether the vector that the site speaks of is one, is awaited and is here.
  absl::Status CheckMasked(const SiteId& site,
                           const v1::SubmitSecureStepRequest& request);

  v1::SubmitResponse Receipt(const SiteId& site, const v1::Header& header,
                             absl::string_view method,
                             const google::protobuf::Message& request,
                             absl::string_view update_sha256) const;
  UploadSpool::Key UploadKey(const SiteId& site, const v1::Header& header,
                             const v1::BlobRef& blob) const;

  // The thread that closes rounds.
  void Drive();
  absl::Time NextDeadline() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool AllPhasesAreStored() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The vectors of the closed round, and what they are spooled as.
  absl::StatusOr<std::vector<UpdateInput>> UpdatesOf(
      const ActiveStudy& study, std::vector<UploadSpool::Key>& keys) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Called and returns with the lock held; lets it go while it computes. A
  // sum that cannot be one ends the study.
  absl::Status Aggregate(ActiveStudy& study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AggregateModels(ActiveStudy& study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of a masked census or evaluation.
  absl::Status AggregateTotals(ActiveStudy& study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static v1::BlobRef GlobalOf(const AggregateResult& result);
  // What the aggregation of the closed round came to, where it did not give a
  // result. OK: it is dealt with; otherwise it is tried again.
  absl::Status OnNoAggregate(ActiveStudy& study, const absl::Status& why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `sums`: null where no sum came about.
  absl::Status Commit(ActiveStudy& study, RoundSummary summary,
                      const v1::BlobRef& global, v1::SumsRecord* sums = nullptr)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- What sites are shown of a sum: federation_sums.cc.
  // Fills `opening` with all that opens the sum, and unmasks with it.
  static absl::StatusOr<AggregateResult> AggregateMasked(
      const SecureSum& sum, AggregateOptions& options, v1::SumOpening& opening);
  static absl::StatusOr<VectorSum> SumMasked(
      const SecureSum& sum, const std::vector<std::string>& paths, int64_t size,
      v1::SumOpening& opening);
  // Completes the opening, stores it as a blob and returns what is to be kept
  // of the study's sums once the round is committed. Lets the lock go while it
  // writes. CANCELLED: the study was stopped meanwhile.
  absl::StatusOr<v1::SumsRecord> PublishOpening(ActiveStudy& study,
                                                v1::StudyChain after,
                                                v1::SumOpening& opening)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Commit the round of a masked sum; return as Aggregate.
  absl::Status CommitMasked(ActiveStudy& study, const AggregateResult& result,
                            v1::SumOpening& opening)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CommitCensus(ActiveStudy& study, const VectorSum& summed,
                            v1::SumOpening& opening)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Tells the operator where sites will refuse the cohort's census.
  void WarnOfSmallCells(const ActiveStudy& study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The round is committed: what the sum before it left may go.
  void TakeSums(ActiveStudy& study, v1::SumsRecord sums)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The uploads that the study's sites may fetch; kept until the next sum.
  std::set<UploadSpool::Key> KeptVectors(const ActiveStudy& study) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Deletes the files of committed rounds and ended studies. Likewise, so that
  // sites go on with the next round meanwhile.
  void RemoveObsolete() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasObsolete() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  Clock& clock_;
  const std::unique_ptr<PeerVerifier> verifier_;  // null: no authority
  const FolderLock folder_;                       // let go last
  const BlobStore blobs_;
  const std::unique_ptr<UploadSpool> uploads_;

  // Held from a new study's first blob until the study is in studies_, and
  // while unused blobs are deleted.
  absl::Mutex submission_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  absl::Mutex mutex_;
  absl::CondVar changed_;
  const std::unique_ptr<Storage> storage_ ABSL_PT_GUARDED_BY(mutex_);
  // In order of submission; elements stay where they are.
  std::vector<std::unique_ptr<ActiveStudy>> studies_ ABSL_GUARDED_BY(mutex_);
  std::vector<ActiveStudy*> to_aggregate_ ABSL_GUARDED_BY(mutex_);
  // Of committed rounds and lost sums.
  std::vector<std::string> obsolete_blobs_ ABSL_GUARDED_BY(mutex_);
  std::vector<UploadSpool::Key> obsolete_uploads_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> ended_studies_ ABSL_GUARDED_BY(mutex_);  // hashes
  bool shutdown_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<SiteId, absl::Time> idle_lines_ ABSL_GUARDED_BY(mutex_);
  std::thread driver_;
  // Its thread asks this object: it ends first.
  WaitingPolls polls_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_FEDERATION_CORE_H_
