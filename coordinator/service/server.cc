// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/server.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/rpc/tls.h"
#include "coordinator/service/admin_service.h"
#include "coordinator/service/federation_service.h"

namespace hilum {
namespace {

// Calls in flight at shutdown get this long: long polls answer at once.
constexpr absl::Duration kDrain = absl::Seconds(2);

absl::StatusOr<std::string> HostOf(const std::string& listen) {
  size_t colon = listen.rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(
        "listen: '", listen, "' is not host:port, e.g. 0.0.0.0:8443"));
  }
  return listen.substr(0, colon);
}

// By default a thread ends with its call, and each chunk of a blob would pay
// for a new one.
void KeepThreads(grpc::ServerBuilder& builder) {
  using Option = grpc::ServerBuilder::SyncServerOption;
  builder.SetSyncServerOption(Option::NUM_CQS, 1);
  builder.SetSyncServerOption(Option::MIN_POLLERS, 2);
  builder.SetSyncServerOption(Option::MAX_POLLERS, 32);
}

}  // namespace

struct CoordinatorServer::Parts {
  FederationCore& core;
  FederationService federation;
  AdminService admin;
  std::unique_ptr<grpc::Server> public_server;
  std::unique_ptr<grpc::Server> admin_server;
};

CoordinatorServer::CoordinatorServer(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

CoordinatorServer::~CoordinatorServer() {
  // Wakes what waits, so that draining is short.
  parts_->core.Shutdown();
  auto deadline = absl::ToChronoTime(absl::Now() + kDrain);
  // Start may have failed half way.
  for (grpc::Server* server :
       {parts_->public_server.get(), parts_->admin_server.get()}) {
    if (server != nullptr) server->Shutdown(deadline);
  }
}

absl::StatusOr<std::unique_ptr<CoordinatorServer>> CoordinatorServer::Start(
    FederationCore& core, const Identity& identity, const std::string& listen,
    const std::string& admin_socket) {
  absl::StatusOr<std::string> host = HostOf(listen);
  if (!host.ok()) return host.status();
  std::unique_ptr<CoordinatorServer> server(
      new CoordinatorServer(std::unique_ptr<Parts>(
          new Parts{core, FederationService(core, identity.name.consortium),
                    AdminService(core), nullptr, nullptr})));
  Parts& parts = *server->parts_;

  // The core has the folder to itself: a socket that is there is abandoned.
  grpc::ServerBuilder admin;
  unlink(admin_socket.c_str());
  admin.AddListeningPort(absl::StrCat("unix:", admin_socket),
                         grpc::InsecureServerCredentials());
  admin.RegisterService(&parts.admin);
  parts.admin_server = admin.BuildAndStart();
  if (parts.admin_server == nullptr) {
    return absl::UnavailableError(absl::StrCat(
        admin_socket, ": cannot listen here; a path of a socket may have at ",
        "most 107 characters, and its folder must be writable"));
  }

  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(listen, TlsServerCredentials(identity), &port);
  builder.RegisterService(&parts.federation);
  KeepThreads(builder);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, (1 << 24) - 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES,
                             kMaxMessageBytes);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  parts.public_server = builder.BuildAndStart();
  if (parts.public_server == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat(
        "listen: cannot bind ", listen,
        "; is the port in use, or the address not this machine's?"));
  }
  server->address_ = absl::StrCat(*host, ":", port);
  return server;
}

}  // namespace hilum
