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

// The one way out of the site, and the one way in for what comes back. Each
// message is walked against its egress annotations, held against what this site
// may say (EgressFacts) and recorded in the ledger, then handed to the
// transport: the only call of Transport::Call in this program. Its answer
// passes the border (InboundChecks) before anybody sees it.
// In the ledger: every call. Submit calls have a line each (SENT) and their
// receipt another; an upload has one, with the hash of the whole, before its
// first chunk; NextTask, FetchBlob and UploadChunk calls are counted with their
// bytes, repeats included (CALLED). Refusals of either direction have lines
// too, the same ones over and over as a count (Ledger). Thread-safe.
class EgressGate {
 public:
  // All outlive this object.
  EgressGate(Transport& transport, Ledger& ledger, const Approvals& approvals,
             EgressFacts& facts)
      : transport_(transport),
        ledger_(ledger),
        facts_(facts),
        inbound_(approvals, facts) {}

  // PERMISSION_DENIED: the message may not leave (recorded as such).
  // RESOURCE_EXHAUSTED: the ledger cannot be written, nothing was sent.
  // DATA_LOSS: the answer is not what it may be, or its receipt is not for this
  // message or not signed with the coordinator's certificate (recorded as
  // such). Otherwise the transport's answer, whose text is printable and of 300
  // bytes at most; an error of NextTask that says neither that the coordinator
  // does not want this site nor that the call was stopped is UNAVAILABLE.
  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout);

 private:
  absl::Status CheckAllowed(absl::string_view method,
                            const google::protobuf::Message& request);
  // Returns `why`, or the error of the ledger where it cannot be written.
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
  std::string last_upload_ ABSL_GUARDED_BY(mutex_);  // recorded already
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_EGRESS_GATE_H_
