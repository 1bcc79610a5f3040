// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SITE_SUBMISSIONS_H_
#define HILUM_COORDINATOR_SITE_SUBMISSIONS_H_

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "coordinator/study_book.h"
#include "google/protobuf/message.h"

namespace hilum {

// Takes what sites send, and serves the blobs of their round. What is
// acknowledged with a receipt is on disk. Thread-safe. The errors of all calls
// are those of FederationHandler.
class SiteSubmissions {
 public:
  // `book` outlives this object.
  explicit SiteSubmissions(StudyBook& book) : book_(book) {}

  absl::StatusOr<v1::FetchBlobResponse> FetchBlob(
      const SiteId& site, const v1::FetchBlobRequest& request);
  absl::StatusOr<v1::UploadChunkResponse> UploadChunk(
      const SiteId& site, const v1::UploadChunkRequest& request);
  absl::StatusOr<v1::SubmitResponse> SubmitCensus(
      const SiteId& site, const v1::SubmitCensusRequest& request);
  absl::StatusOr<v1::SubmitResponse> SubmitUpdate(
      const SiteId& site, const v1::SubmitUpdateRequest& request);
  absl::StatusOr<v1::SubmitResponse> SubmitEvaluation(
      const SiteId& site, const v1::SubmitEvaluationRequest& request);
  absl::StatusOr<v1::SubmitResponse> SubmitSecureStep(
      const SiteId& site, const v1::SubmitSecureStepRequest& request);

 private:
  absl::StatusOr<v1::FetchBlobResponse> FetchVector(
      const UploadSpool::Key& key, const v1::FetchBlobRequest& request);
  // Stores the site's census. A repeated call does no harm.
  absl::Status PutCensus(ActiveStudy& study, const SiteId& site,
                         const v1::SubmitCensusRequest& census)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(book_.mutex());
  // Marks the site as unable; its census, if any, stays stored and is marked
  // too.
  absl::Status Withdraw(ActiveStudy& study, const SiteId& site,
                        v1::UnableReason reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(book_.mutex());
  // Checks that the site's vector is valid, expected and here.
  absl::Status CheckMasked(const SiteId& site,
                           const v1::SubmitSecureStepRequest& request);
  // Checks that the checksum in a site's keys fits its vector in the last sum:
  // with a false one all other sites would take that sum for forged.
  absl::Status CheckChecksum(const SiteId& site,
                             const v1::SubmitSecureStepRequest& request);
  v1::SubmitResponse Receipt(const SiteId& site, const v1::Header& header,
                             absl::string_view method,
                             const google::protobuf::Message& request,
                             absl::string_view update_sha256) const;

  StudyBook& book_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SITE_SUBMISSIONS_H_
