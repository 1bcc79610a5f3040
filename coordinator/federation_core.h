// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_FEDERATION_CORE_H_
#define HILUM_COORDINATOR_FEDERATION_CORE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/federation_handler.h"
#include "coordinator/federation_options.h"
#include "coordinator/round_closer.h"
#include "coordinator/site_polls.h"
#include "coordinator/site_submissions.h"
#include "coordinator/study_book.h"
#include "coordinator/submission.h"
#include "hilum/v1/admin.pb.h"

namespace hilum {

// The coordinator: studies, their rounds, their blobs (StudyBook). Answers
// sites (SitePolls, SiteSubmissions) and the operator; RoundCloser closes
// rounds on a thread of its own. All acknowledged data is in the state folder:
// a new object on the same folder continues from there. The folder is locked
// while the object lives. Thread-safe.
class FederationCore : public FederationHandler {
 public:
  using Options = FederationOptions;

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
  // stopped study is accepted again, as another submission. `warnings`, where
  // given, is set to SubmissionNotes'.
  absl::StatusOr<std::string> SubmitStudy(
      v1::Study study, const std::string& weights_path,
      const SubmissionOptions& options = {},
      std::vector<std::string>* warnings = nullptr);
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

  // --- The sites' calls.
  uint64_t StartNextTask(const SiteId& site, const v1::NextTaskRequest& request,
                         PollDone done) override {
    return polls_.Start(site, request, std::move(done));
  }
  void CancelPoll(uint64_t poll) override { polls_.Cancel(poll); }
  absl::StatusOr<v1::NextTaskResponse> NextTask(
      const SiteId& site, const v1::NextTaskRequest& request) override;
  absl::StatusOr<v1::FetchBlobResponse> FetchBlob(
      const SiteId& site, const v1::FetchBlobRequest& request) override {
    return submissions_.FetchBlob(site, request);
  }
  absl::StatusOr<v1::UploadChunkResponse> UploadChunk(
      const SiteId& site, const v1::UploadChunkRequest& request) override {
    return submissions_.UploadChunk(site, request);
  }
  absl::StatusOr<v1::SubmitResponse> SubmitCensus(
      const SiteId& site, const v1::SubmitCensusRequest& request) override {
    return submissions_.SubmitCensus(site, request);
  }
  absl::StatusOr<v1::SubmitResponse> SubmitUpdate(
      const SiteId& site, const v1::SubmitUpdateRequest& request) override {
    return submissions_.SubmitUpdate(site, request);
  }
  absl::StatusOr<v1::SubmitResponse> SubmitEvaluation(
      const SiteId& site, const v1::SubmitEvaluationRequest& request) override {
    return submissions_.SubmitEvaluation(site, request);
  }
  absl::StatusOr<v1::SubmitResponse> SubmitSecureStep(
      const SiteId& site, const v1::SubmitSecureStepRequest& request) override {
    return submissions_.SubmitSecureStep(site, request);
  }

 private:
  FederationCore(Options options, Clock& clock, StudyBook::Parts parts);

  StudyBook book_;
  SiteSubmissions submissions_;
  RoundCloser closer_;
  // Its thread works on the book, so it is destroyed first.
  SitePolls polls_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_FEDERATION_CORE_H_
