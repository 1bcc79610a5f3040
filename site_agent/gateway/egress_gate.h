// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_EGRESS_GATE_H_
#define HILUM_SITE_AGENT_GATEWAY_EGRESS_GATE_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/gateway/approvals.h"
#include "site_agent/gateway/egress_facts.h"
#include "site_agent/gateway/inbound_checks.h"
#include "site_agent/gateway/ledger.h"
#include "site_agent/gateway/transport.h"

namespace hilum {

// The only way out of the site, and the only way in for the coordinator's
// answers. Checks each message against its egress annotations (CheckEgress) and
// against the values that this site may send (EgressFacts), records it in the
// ledger and hands it to the transport; no other code calls Transport::Call.
// The answer passes the border (InboundChecks) before any other code sees it.
// The ledger has every call. A Submit call has a line (SENT) and its receipt
// another. An upload has one line, with the hash of the whole blob, before its
// first chunk. NextTask, FetchBlob and UploadChunk calls are counted with their
// bytes, repeats included (CALLED). Refusals of messages and of answers have
// lines too, repeated ones as a count (Ledger). Thread-safe.
class EgressGate {
 public:
  // All outlive this object.
  EgressGate(Transport& transport, Ledger& ledger, const Approvals& approvals,
             EgressFacts& facts)
      : transport_(transport),
        ledger_(ledger),
        facts_(facts),
        inbound_(approvals, facts) {}

  // Sends `request` and takes in the answer. PERMISSION_DENIED: the message may
  // not leave; the ledger has the refusal. RESOURCE_EXHAUSTED: the ledger
  // cannot be written, nothing was sent. DATA_LOSS: the answer did not pass the
  // border, or its receipt is not for this message or not signed with the
  // coordinator's certificate; the ledger has the refusal. Other errors are the
  // transport's, with a printable text of at most 300 bytes. An error of
  // NextTask becomes UNAVAILABLE unless it says that the coordinator does not
  // want this site or that the call was stopped.
  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout);

 private:
  absl::Status CheckAllowed(absl::string_view method,
                            const google::protobuf::Message& request);
  // Writes the refusal into the ledger. Returns `why`, or the ledger's error if
  // it cannot be written.
  absl::Status RecordRefusal(v1::LedgerEntry::Kind kind,
                             absl::string_view method,
                             const google::protobuf::Message& request,
                             const absl::Status& why);
  absl::Status TakeAnswer(absl::string_view method,
                          const google::protobuf::Message& request,
                          google::protobuf::Message& response);
  absl::Status RecordUpload(const v1::UploadChunkRequest& chunk);
  absl::Status Record(absl::string_view method,
                      const google::protobuf::Message& request);
  absl::Status CheckReceipt(absl::string_view method,
                            const google::protobuf::Message& request,
                            const v1::Receipt& receipt) const;
  absl::Status RecordReceipt(absl::string_view method,
                             const v1::Receipt& receipt);

  Transport& transport_;
  Ledger& ledger_;
  EgressFacts& facts_;
  InboundChecks inbound_;
  absl::Mutex mutex_;
  std::string last_upload_ ABSL_GUARDED_BY(mutex_);  // SHA-256; in the ledger
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_EGRESS_GATE_H_
