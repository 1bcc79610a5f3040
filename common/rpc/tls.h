// SPDX-License-Identifier: Apache-2.0
// Mutual TLS 1.3 for gRPC. Both ends show a certificate of the consortium.
//
// gRPC 1.51 has no setting for the lowest TLS version. It does let one
// choose the cipher suites of TLS 1.2, and here only one is left that needs
// an RSA certificate; the consortium's are all ECDSA, so a TLS 1.2 handshake
// finds no common suite on either side. TLS 1.3 has suites of its own.
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

// Set up for chunks of megabytes and for long polls through firewalls that
// forget idle connections.
grpc::ChannelArguments BulkChannelArguments();

// The name in the certificate with which the peer has authenticated itself.
// UNAUTHENTICATED: none, or not a consortium's.
absl::StatusOr<BearerName> PeerName(const grpc::AuthContext& context);

// That certificate as PEM; empty: none.
std::string PeerCertificatePem(const grpc::AuthContext& context);

}  // namespace hilum

#endif  // HILUM_COMMON_RPC_TLS_H_
