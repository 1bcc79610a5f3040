// SPDX-License-Identifier: Apache-2.0
// Mutual TLS 1.3 for gRPC. Both ends show a certificate of the consortium.
//
// gRPC 1.51 has no setting for the lowest TLS version. It does allow a choice
// of TLS 1.2 cipher suites; this code leaves only one, which needs an RSA
// certificate. The consortium's certificates are all ECDSA, so a TLS 1.2
// handshake finds no common suite on either side. TLS 1.3 has its own suites.
//
// No session is resumed (common/crypto/tls_tickets.h).
#ifndef HILUM_COMMON_RPC_TLS_H_
#define HILUM_COMMON_RPC_TLS_H_

#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/crypto/certificate.h"

namespace hilum {

// Largest message in either direction: a chunk of 4 MiB and its envelope.
inline constexpr int kMaxMessageBytes = 8 << 20;

std::shared_ptr<grpc::ServerCredentials> TlsServerCredentials(
    const Identity& identity);
std::shared_ptr<grpc::ChannelCredentials> TlsChannelCredentials(
    const Identity& identity);

// Returns settings for chunks of megabytes, and for long polls through
// firewalls that drop idle connections.
grpc::ChannelArguments BulkChannelArguments();

// Returns the name in the certificate of an authenticated peer.
// UNAUTHENTICATED: no certificate, or not one of a consortium.
absl::StatusOr<BearerName> PeerName(const grpc::AuthContext& context);

// Returns the peer's certificate as PEM; empty: none.
std::string PeerCertificatePem(const grpc::AuthContext& context);

}  // namespace hilum

#endif  // HILUM_COMMON_RPC_TLS_H_
