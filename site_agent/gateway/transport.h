// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_TRANSPORT_H_
#define HILUM_SITE_AGENT_GATEWAY_TRANSPORT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"

namespace hilum {

// Carries one unary call of hilum.v1.Federation to the coordinator. The real
// one uses gRPC over mutual TLS; the simulator's calls the coordinator's
// handler directly. Only EgressGate::Call may use it. Thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;
  // `method` is the bare RPC name, e.g. "NextTask". UNAVAILABLE and
  // DEADLINE_EXCEEDED: try again; other codes are the coordinator's.
  // UNAVAILABLE also: the coordinator has no room. RESOURCE_EXHAUSTED has a
  // cause (call_outcome.h).
  virtual absl::Status Call(absl::string_view method,
                            const google::protobuf::Message& request,
                            google::protobuf::Message* response,
                            absl::Duration timeout) = 0;
  // Returns the certificate (PEM) with which the coordinator authenticated
  // itself to this transport; empty: it has none, or not yet.
  virtual std::string PeerCertificate() const { return std::string(); }
  // Ends the NextTask in flight, or else the next one, with CANCELLED, if the
  // transport can, so that it is asked again with the officer's new decision.
  virtual void Interrupt() {}
  // Makes calls in flight, and later ones, end with CANCELLED.
  virtual void Shutdown() = 0;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_TRANSPORT_H_
