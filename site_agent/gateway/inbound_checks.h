// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_INBOUND_CHECKS_H_
#define HILUM_SITE_AGENT_GATEWAY_INBOUND_CHECKS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/egress_facts.h"

namespace hilum {

// The border: checks every field of every answer of the coordinator, before
// other code acts on the answer, against the studies that this site was
// offered. Bounds what an answer can make this site store, allocate, write or
// print; SecurePart decides whether a sum may be read. Keeps nothing; announces
// named blobs and sums to EgressFacts. Thread-safe.
class InboundChecks {
 public:
  static constexpr size_t kMaxReason = 300;     // bytes of StudyEnded's reason
  static constexpr size_t kMostUndecided = 32;  // offers
  static constexpr uint64_t kMostUndecidedBytes = 8 << 20;
  static constexpr uint64_t kMostOpeningBytes = 64 << 20;

  // Both outlive this object.
  InboundChecks(const Approvals& approvals, EgressFacts& facts)
      : approvals_(approvals), facts_(facts) {}

  // Takes in the coordinator's answer to `request`: makes its texts printable,
  // drops fields that this build does not know, and announces the blobs and the
  // sum that it names. INVALID_ARGUMENT: names the field that is wrong; then
  // nothing was announced.
  absl::Status Take(const google::protobuf::Message& request,
                    google::protobuf::Message& response);

 private:
  absl::Status TakeNext(v1::NextTaskResponse& next);
  absl::Status CheckOffer(const v1::StudyOffer& offer) const;
  absl::Status CheckEnded(v1::StudyEnded& ended) const;
  absl::Status TakeTask(const v1::Task& task);
  absl::Status CheckApproved(const v1::Header& header) const;
  absl::Status CheckChunk(const v1::FetchBlobRequest& request,
                          const v1::FetchBlobResponse& response) const;

  const Approvals& approvals_;
  EgressFacts& facts_;
};

// Checks the sizes in a step of a sum; SecurePart checks the contents.
// INVALID_ARGUMENT: a list is longer than the study has sites, or a name, key,
// share, hash or signature is longer than it can be.
absl::Status CheckStepSizes(const v1::SecureStep& step, size_t num_sites);

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_INBOUND_CHECKS_H_
