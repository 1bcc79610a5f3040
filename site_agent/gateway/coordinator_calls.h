// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_COORDINATOR_CALLS_H_
#define HILUM_SITE_AGENT_GATEWAY_COORDINATOR_CALLS_H_

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "google/protobuf/message.h"
#include "site_agent/gateway/egress_gate.h"
#include "site_agent/gateway/site_options.h"
#include "site_agent/gateway/transport.h"

namespace hilum {

// Calls the coordinator through the egress gate, and repeats a call with
// growing pauses while the network is cut. Thread-safe.
class CoordinatorCalls {
 public:
  static constexpr absl::Duration kTimeout = absl::Minutes(2);
  static constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
  static constexpr absl::Duration kLongestPause = absl::Seconds(15);

  // All references outlive this object.
  CoordinatorCalls(EgressGate& gate, Transport& transport, Clock& clock,
                   const SiteLog& log)
      : gate_(gate), transport_(transport), clock_(clock), log_(log) {}

  // Repeats the call while its outcome may change (call_outcome.h). CANCELLED:
  // stopped.
  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout = kTimeout);
  absl::Status CallOnce(absl::string_view method,
                        const google::protobuf::Message& request,
                        google::protobuf::Message* response,
                        absl::Duration timeout);

  // Returns false if the site is stopped meanwhile.
  bool Pause(absl::Duration pause);
  // Ends all pauses and calls, and those to come.
  void Stop();
  bool stopped();
  // Ends a call that waits for work.
  void Interrupt() { transport_.Interrupt(); }

 private:
  EgressGate& gate_;
  Transport& transport_;
  Clock& clock_;
  const SiteLog& log_;
  absl::Mutex mutex_;
  absl::CondVar changed_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_COORDINATOR_CALLS_H_
