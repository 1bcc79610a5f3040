// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_EGRESS_GATE_H_
#define HILUM_SITE_AGENT_GATEWAY_EGRESS_GATE_H_

#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "hilum/v1/federation.pb.h"
#include "site_agent/gateway/ledger.h"
#include "site_agent/gateway/transport.h"

namespace hilum {

// The one way out of the site. Each message is walked against its egress
// annotations and recorded in the ledger, then handed to the transport: the
// only call of Transport::Call in this program.
// In the ledger: every Submit call and its receipt, every upload once (its
// first chunk, with the hash of the whole), every refusal. NextTask and
// FetchBlob carry hashes of public content only and are not recorded.
// Thread-safe.
class EgressGate {
 public:
  // Both outlive this object.
  EgressGate(Transport& transport, Ledger& ledger)
      : transport_(transport), ledger_(ledger) {}

  // PERMISSION_DENIED: the message may not leave (recorded as such).
  // RESOURCE_EXHAUSTED: the ledger cannot be written, nothing was sent.
  // DATA_LOSS: the receipt is not for this message, or not signed with the
  // coordinator's certificate. Otherwise the transport's answer.
  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout);

 private:
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
  absl::Mutex mutex_;
  std::string last_upload_ ABSL_GUARDED_BY(mutex_);  // recorded already
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_EGRESS_GATE_H_
