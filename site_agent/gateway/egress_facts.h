// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_EGRESS_FACTS_H_
#define HILUM_SITE_AGENT_GATEWAY_EGRESS_FACTS_H_

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "google/protobuf/message.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/study_facts.h"

namespace hilum {

// The values that this site's messages may contain: studies that it was
// offered, sites of these studies, blobs and sums that the coordinator named,
// files that this gateway made. Any other hash, name or number does not leave.
// Life: the border (InboundChecks) announces what the coordinator named, the
// session registers what it made, the gate asks Check. Thread-safe.
class EgressFacts {
 public:
  struct Options {
    std::string site;
    // This site's own certificate; empty: it takes part in no secure sum.
    std::string certificate_pem;
  };

  // `approvals` and `clock` outlive this object.
  EgressFacts(Options options, const Approvals& approvals, Clock& clock)
      : options_(std::move(options)), approvals_(approvals), clock_(clock) {}

  // Returns the facts of a study that this site was offered. NOT_FOUND: it was
  // not.
  absl::StatusOr<std::shared_ptr<const StudyFacts>> Study(
      absl::string_view hash) const;
  const std::string& site() const { return options_.site; }

  // Notes a blob, or a sum, that the coordinator named in a message of the
  // study, after the message passed the border. Only the last kMostNamed of
  // each study count.
  void AnnounceBlob(absl::string_view study_hash, const v1::BlobRef& blob);
  void AnnounceSum(absl::string_view study_hash, absl::string_view sum_id);
  // Notes the blob of the sum that an opening of the study names.
  // INVALID_ARGUMENT: not a hash, empty, or more than twice the bytes of the
  // study's longest vector.
  absl::Status AnnounceSumBlob(absl::string_view study_hash,
                               const v1::BlobRef& sum);
  // Notes the hash and length of a file that this gateway made and means to
  // upload. Call before the upload, and again where a spooled file is found
  // after a restart.
  void RegisterUpload(absl::string_view study_hash, const v1::BlobRef& blob);
  // Notes that the border refused the offer of the study with this hash. For an
  // hour the coordinator is told that this site knows the study: otherwise it
  // would offer the study in every answer, before all other work. Only the last
  // kMostNamed refused offers count.
  void RefuseOffer(absl::string_view study_hash);
  std::set<std::string> RefusedOffers() const;
  // Forgets the study, which is over.
  void Forget(absl::string_view study_hash);

  // Returns the length that was announced for the blob, or the length of the
  // approved starting weights. NOT_FOUND: the study has named no such blob.
  absl::StatusOr<uint64_t> SizeOf(absl::string_view study_hash,
                                  absl::string_view sha256) const;

  // PERMISSION_DENIED: names the field of `request` with any other value.
  absl::Status Check(absl::string_view method,
                     const google::protobuf::Message& request) const;

 private:
  static constexpr size_t kMostNamed = 32;
  struct Named {
    std::deque<v1::BlobRef> blobs;
    std::deque<std::string> sums;
    std::deque<v1::BlobRef> uploads;
  };

  absl::Status CheckHeader(const v1::Header& header) const;
  absl::Status CheckPoll(const v1::NextTaskRequest& request) const;
  absl::Status CheckFetch(const v1::FetchBlobRequest& request) const;
  absl::Status CheckChunk(const v1::UploadChunkRequest& request) const;
  absl::Status CheckUpload(absl::string_view study_hash,
                           const v1::BlobRef& blob) const;
  absl::Status CheckCensus(const v1::SubmitCensusRequest& request) const;
  absl::Status CheckEvaluation(
      const v1::SubmitEvaluationRequest& request) const;
  absl::Status CheckStep(const v1::SubmitSecureStepRequest& request) const;

  const Options options_;
  const Approvals& approvals_;
  Clock& clock_;
  mutable absl::Mutex mutex_;
  // By raw hash; all of them studies that were offered.
  mutable std::map<std::string, std::shared_ptr<const StudyFacts>> studies_
      ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Named> named_ ABSL_GUARDED_BY(mutex_);
  struct Refusal {
    std::string study_hash;
    absl::Time until;
  };
  std::deque<Refusal> refused_offers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_EGRESS_FACTS_H_
