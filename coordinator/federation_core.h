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
// FederationHandler calls) and the operator (the rest). A separate thread
// closes rounds, so no site waits for an aggregation in its call. All
// acknowledged data is in the state folder: a new object on the same folder
// continues from there. The folder is locked while the object lives.
// Thread-safe.
class FederationCore : public FederationHandler {
 public:
  struct Options {
    std::string state_dir;
    // Signs receipts (DER); if not set, receipts have empty signatures.
    std::function<std::string(absl::string_view)> sign;
    // The authority by which sites verify each other in secure aggregation.
    // Empty: studies with secure aggregation are refused.
    std::string authority_pem;
    std::string consortium;
    // The operator's log, one line a call.
    std::function<void(absl::string_view)> log = [](absl::string_view) {};
    // Refuses a site whose checksum does not fit its vector. Sites detect a
    // false sum either way; without this check all of them then refuse the
    // study.
    bool check_checksums = true;
    // Time between attempts after the disk was full.
    absl::Duration retry_after = absl::Seconds(10);
  };

  // FAILED_PRECONDITION: another process has the folder.
  static absl::StatusOr<std::unique_ptr<FederationCore>> Open(Options options,
                                                              Clock& clock);
  ~FederationCore() override;

  // --- The operator's calls.
  // Fills defaults and starting weights (from the study's seed, or from a file
  // as PrepareSubmission takes it), pins the sites' keys (PinSiteKeys) and
  // returns the study's hash (32 raw bytes). INVALID_ARGUMENT names the field,
  // tensor or site. UNAUTHENTICATED: a certificate that is not of this
  // consortium. ALREADY_EXISTS: the same study is here, and was not stopped; a
  // stopped study is accepted again, as another submission.
  absl::StatusOr<std::string> SubmitStudy(
      v1::Study study, const std::string& weights_path,
      const SubmissionOptions& options = {});
  std::vector<v1::StudyStatus> ListStudies();
  // `prefix`: first bytes of the raw hash; empty: the only study. NOT_FOUND,
  // INVALID_ARGUMENT (ambiguous).
  absl::StatusOr<v1::StudyStatus> StatusOf(absl::string_view prefix);
  // Waits until the status differs from `last`, or `longest` has passed.
  absl::StatusOr<v1::StudyStatus> WaitForChange(absl::string_view prefix,
                                                const v1::StudyStatus& last,
                                                absl::Duration longest);
  // RESOURCE_EXHAUSTED: stopped, but not yet on disk; storing is tried again.
  absl::StatusOr<v1::StudyStatus> StopStudy(absl::string_view prefix);
  // Writes models and reports; returns the files written, relative to
  // `directory`. `partial`: also exports a study that was stopped after a round
  // of training. FAILED_PRECONDITION: the study is not completed, nor stopped
  // so.
  absl::StatusOr<std::vector<std::string>> ExportStudy(
      absl::string_view prefix, const std::string& directory,
      bool partial = false);
  // Wakes every waiting call; these and later calls answer UNAVAILABLE.
  void Shutdown();

  // --- The sites' calls (waiting for work: federation_polls.cc).
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
  // Returns whether the study with this hash is here and was stopped.
  bool WasStopped(const std::string& hash) ABSL_LOCKS_EXCLUDED(mutex_);
  // Continues the study's interrupted sum, where all its data is here.
  void ResumeSum(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  static absl::Status CheckVersion(const v1::Header& header);
  // Returns the study of a header, if the site takes part in it.
  absl::StatusOr<ActiveStudy*> StudyOf(const SiteId& site,
                                       const v1::Header& header)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<ActiveStudy*> Find(absl::string_view prefix)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns whether `study` has an answer for this site now.
  bool Answer(ActiveStudy& study, const SiteId& site,
              const v1::NextTaskRequest& request,
              v1::NextTaskResponse& response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns an answer for the site from any of its studies; nothing: there is
  // none.
  absl::StatusOr<std::optional<v1::NextTaskResponse>> Ask(
      const SiteId& site, const v1::NextTaskRequest& request);
  // Logs, at most once an hour, that no study names the site.
  void OnIdle(const SiteId& site);
  // Wakes the polls of the study's sites: something may have changed for them.
  void WakePolls(const ActiveStudy& study);
  // Advances the study and stores its phase where it changed.
  void Advance(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Refuse(ActiveStudy& study, const SiteId& site,
              const absl::Status& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Stores the site's census. A repeated call does no harm.
  absl::Status PutCensus(ActiveStudy& study, const SiteId& site,
                         const v1::SubmitCensusRequest& census)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Marks the site as unable; its census, if any, stays stored and is marked
  // too.
  absl::Status Withdraw(ActiveStudy& study, const SiteId& site,
                        v1::UnableReason reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns whether a study uses the blob: equal starting weights share one.
  bool IsUsed(const std::string& sha256) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Stores the phase; returns whether it changed on disk.
  bool StorePhase(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Stores the record of the sum before its last step begins.
  void StoreSum(ActiveStudy& study) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Checks that the checksum in a site's keys fits its vector in the last sum:
  // with a false one all other sites would take that sum for forged.
  absl::Status CheckChecksum(const SiteId& site,
                             const v1::SubmitSecureStepRequest& request);
  absl::StatusOr<v1::FetchBlobResponse> FetchVector(
      const UploadSpool::Key& key, const v1::FetchBlobRequest& request);
  // Checks that the site's vector is valid, expected and here.
  absl::Status CheckMasked(const SiteId& site,
                           const v1::SubmitSecureStepRequest& request);

  v1::SubmitResponse Receipt(const SiteId& site, const v1::Header& header,
                             absl::string_view method,
                             const google::protobuf::Message& request,
                             absl::string_view update_sha256) const;
  UploadSpool::Key UploadKey(const SiteId& site, const v1::Header& header,
                             const v1::BlobRef& blob) const;

  // Runs the thread that closes rounds.
  void Drive();
  absl::Time NextDeadline() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool AllPhasesAreStored() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns the vectors of the closed round, and their keys in the spool.
  absl::StatusOr<std::vector<UpdateInput>> UpdatesOf(
      const ActiveStudy& study, std::vector<UploadSpool::Key>& keys) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Call with the lock held; releases it while it computes. A sum that cannot
  // be valid ends the study.
  absl::Status Aggregate(ActiveStudy& study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AggregateModels(ActiveStudy& study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Aggregates a masked census or evaluation.
  absl::Status AggregateTotals(ActiveStudy& study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static RoundModel ModelOf(const AggregateResult& result);
  // Handles a failed aggregation of the closed round. OK: handled; otherwise
  // the aggregation is tried again.
  absl::Status OnNoAggregate(ActiveStudy& study, const absl::Status& why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `sums`: null where there is no sum.
  absl::Status Commit(ActiveStudy& study, RoundSummary summary,
                      const RoundModel& model, v1::SumsRecord* sums = nullptr)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // --- The sums' openings for the sites: federation_sums.cc.
  // Fills `opening` with all values that open the sum, and unmasks with it.
  static absl::StatusOr<AggregateResult> AggregateMasked(
      const SecureSum& sum, AggregateOptions& options, v1::SumOpening& opening);
  static absl::StatusOr<VectorSum> SumMasked(
      const SecureSum& sum, const std::vector<std::string>& paths, int64_t size,
      v1::SumOpening& opening);
  // Completes the opening, stores it as a blob and returns the record of the
  // study's sums to keep once the round is committed. Releases the lock while
  // it writes. CANCELLED: the study was stopped meanwhile.
  absl::StatusOr<v1::SumsRecord> PublishOpening(ActiveStudy& study,
                                                v1::StudyChain after,
                                                v1::SumOpening& opening)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Commit the round of a masked sum; errors: see Aggregate.
  absl::Status CommitMasked(ActiveStudy& study, const AggregateResult& result,
                            v1::SumOpening& opening)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CommitCensus(ActiveStudy& study, const VectorSum& summed,
                            v1::SumOpening& opening)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Warns the operator where sites will refuse the cohort's census.
  void WarnOfSmallCells(const ActiveStudy& study)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Replaces the study's sums after a commit; the files of the earlier sum may
  // go.
  void TakeSums(ActiveStudy& study, v1::SumsRecord sums)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns the uploads that the study's sites may fetch; kept until the next
  // sum.
  std::set<UploadSpool::Key> KeptVectors(const ActiveStudy& study) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Deletes the files of committed rounds and ended studies. Releases the lock
  // meanwhile, so that sites go on with the next round.
  void RemoveObsolete() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasObsolete() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  Clock& clock_;
  const std::unique_ptr<PeerVerifier> verifier_;  // null: there is no authority
  const FolderLock folder_;                       // released last
  const BlobStore blobs_;
  const std::unique_ptr<UploadSpool> uploads_;

  // Held from a new study's first blob until the study is in studies_, and
  // while unused blobs are deleted.
  absl::Mutex submission_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  absl::Mutex mutex_;
  absl::CondVar changed_;
  const std::unique_ptr<Storage> storage_ ABSL_PT_GUARDED_BY(mutex_);
  // In order of submission; elements do not move in memory.
  std::vector<std::unique_ptr<ActiveStudy>> studies_ ABSL_GUARDED_BY(mutex_);
  std::vector<ActiveStudy*> to_aggregate_ ABSL_GUARDED_BY(mutex_);
  // Blobs of committed rounds and lost sums.
  std::vector<std::string> obsolete_blobs_ ABSL_GUARDED_BY(mutex_);
  std::vector<UploadSpool::Key> obsolete_uploads_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> ended_studies_ ABSL_GUARDED_BY(mutex_);  // hashes
  bool shutdown_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<SiteId, absl::Time> idle_lines_ ABSL_GUARDED_BY(mutex_);
  std::thread driver_;
  // Its thread calls this object, so it is destroyed first.
  WaitingPolls polls_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_FEDERATION_CORE_H_
