// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/tls.h"

#include <grpc/grpc_security_constants.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/crypto/tls_tickets.h"

namespace hilum {
namespace {

// Must run before gRPC reads the setting, when it makes its first credentials.
void SetUpTls() {
  static const int once =
      setenv("GRPC_SSL_CIPHER_SUITES", "ECDHE-RSA-AES256-GCM-SHA384", 1);
  (void)once;
  GiveNoTlsTickets();
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsServerCredentials(
    const Identity& identity) {
  SetUpTls();
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = identity.authority_pem;
  options.pem_key_cert_pairs.push_back(
      {identity.private_key_pem, identity.certificate_pem});
  return grpc::SslServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> TlsChannelCredentials(
    const Identity& identity) {
  SetUpTls();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = identity.authority_pem;
  options.pem_private_key = identity.private_key_pem;
  options.pem_cert_chain = identity.certificate_pem;
  return grpc::SslCredentials(options);
}

grpc::ChannelArguments BulkChannelArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, (1 << 24) - 1);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 15000);
  return arguments;
}

absl::StatusOr<BearerName> PeerName(const grpc::AuthContext& context) {
  std::vector<grpc::string_ref> uris =
      context.FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME);
  if (!context.IsPeerAuthenticated() || uris.size() != 1) {
    return absl::UnauthenticatedError(absl::StrCat(
        "the peer's certificate has ", uris.size(),
        " URI names instead of one; was it made with hilum-certs?"));
  }
  absl::StatusOr<BearerName> name =
      ParseBearerUri(absl::string_view(uris[0].data(), uris[0].size()));
  if (!name.ok()) return absl::UnauthenticatedError(name.status().message());
  return name;
}

std::string PeerCertificatePem(const grpc::AuthContext& context) {
  std::vector<grpc::string_ref> pem =
      context.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  return pem.empty() ? std::string()
                     : std::string(pem[0].begin(), pem[0].end());
}

}  // namespace hilum
