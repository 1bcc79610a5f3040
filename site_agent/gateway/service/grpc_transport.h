// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_SITE_AGENT_GATEWAY_SERVICE_GRPC_TRANSPORT_H_
#define HILUM_SITE_AGENT_GATEWAY_SERVICE_GRPC_TRANSPORT_H_

#include <memory>
#include <string>

#include "common/crypto/certificate.h"
#include "site_agent/gateway/transport.h"

namespace hilum {

// hilum.v1.Federation over gRPC and mutual TLS 1.3. Thread-safe.
class GrpcTransport : public Transport {
 public:
  // `coordinator`: host:port. Connects with the first call, through the proxy
  // that ProxyFor names. Explains a failed connection with ProbeConnection, so
  // call with SIGPIPE ignored.
  GrpcTransport(const std::string& coordinator, const Identity& identity);
  ~GrpcTransport() override;

  absl::Status Call(absl::string_view method,
                    const google::protobuf::Message& request,
                    google::protobuf::Message* response,
                    absl::Duration timeout) override;
  std::string PeerCertificate() const override;
  void Interrupt() override;
  void Shutdown() override;

 private:
  struct State;
  absl::Status Explain(const absl::Status& status) const;

  const std::string coordinator_;
  std::unique_ptr<State> state_;
};

}  // namespace hilum

#endif  // HILUM_SITE_AGENT_GATEWAY_SERVICE_GRPC_TRANSPORT_H_
