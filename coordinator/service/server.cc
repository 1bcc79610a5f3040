// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/server.h"

#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/descriptors.h"
#include "common/base/ids.h"
#include "common/rpc/tls.h"
#include "coordinator/service/admin_service.h"
#include "coordinator/service/connection_guard.h"
#include "coordinator/service/federation_service.h"
#include "coordinator/service/listener.h"

namespace hilum {
namespace {

using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

// Time at shutdown for calls in flight: long polls answer at once.
constexpr absl::Duration kDrain = absl::Seconds(2);

// Calls other than polls that run at the same time, of all sites.
constexpr int kThreads = 256;
// Calls of one connection at the same time; more wait at the site. A gateway
// uses a poll and three chunks.
constexpr int kCallsPerConnection = 4;
// A silent peer must answer a ping after this time.
constexpr absl::Duration kKeepalive = absl::Minutes(1);
constexpr absl::Duration kKeepaliveAnswer = absl::Seconds(20);

// Descriptors reserved for the rest of the process: the database, blobs and
// uploads, event queues, the admin socket.
constexpr size_t kDescriptorsKept = 96;

// The operator's own commands.
constexpr size_t kAdminConnections = 32;
constexpr int kAdminThreads = 64;

// A connection without a call may stay three times as long as a handshake.
constexpr int kFirstCallHandshakes = 3;

uint32_t Or(uint32_t configured, uint32_t otherwise) {
  return configured == 0 ? otherwise : configured;
}

// Keeps threads. By default a thread ends with its call, so each chunk of a
// blob would cost a new thread.
void KeepThreads(grpc::ServerBuilder& builder) {
  using Option = grpc::ServerBuilder::SyncServerOption;
  builder.SetSyncServerOption(Option::NUM_CQS, 1);
  builder.SetSyncServerOption(Option::MIN_POLLERS, 2);
  builder.SetSyncServerOption(Option::MAX_POLLERS, 32);
}

std::unique_ptr<Acceptor> AddAcceptor(
    grpc::ServerBuilder& builder,
    std::shared_ptr<grpc::ServerCredentials> credentials) {
  return builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      std::move(credentials));
}

ConnectionGuard::HandOver GiveTo(Acceptor& acceptor) {
  return [&acceptor](int fd) {
    Acceptor::NewConnectionParameters connection;
    connection.fd = fd;
    acceptor.HandleNewConnection(&connection);
  };
}

void SetMilliseconds(grpc::ServerBuilder& builder, const char* argument,
                     absl::Duration value) {
  builder.AddChannelArgument(
      argument, static_cast<int>(absl::ToInt64Milliseconds(value)));
}

ConnectionGuard::Options PublicGuard(
    const CoordinatorServer::Options& options) {
  const v1::ConnectionLimits& limits = options.limits;
  const absl::Duration handshake =
      absl::Seconds(Or(limits.handshake_seconds(), 10));
  const size_t limit = DescriptorLimit();
  const size_t descriptors =
      std::max<size_t>(limit, 2 * kDescriptorsKept) - kDescriptorsKept;
  // Two descriptors for each connection, and one for connections that are cut
  // and not yet closed.
  const size_t in_all =
      std::min<size_t>(Or(limits.connections(), 2000), descriptors / 3);
  return {.limits = {.in_all = in_all,
                     .per_address = Or(limits.connections_per_address(), 256),
                     .per_site = Or(limits.connections_per_site(), 3),
                     .hello = handshake,
                     .first_call = kFirstCallHandshakes * handshake},
          .descriptors = std::min(descriptors, 3 * in_all),
          .log = options.log};
}

void LimitCalls(grpc::ServerBuilder& builder,
                const CoordinatorServer::Options& options) {
  grpc::ResourceQuota quota("sites");
  quota.SetMaxThreads(kThreads);
  quota.Resize(size_t{Or(options.limits.memory_mb(), 1024)} << 20);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             kCallsPerConnection);
  SetMilliseconds(builder, GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                  absl::Seconds(Or(options.limits.handshake_seconds(), 10)));
  SetMilliseconds(builder, GRPC_ARG_KEEPALIVE_TIME_MS, kKeepalive);
  SetMilliseconds(builder, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveAnswer);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

}  // namespace

struct CoordinatorServer::Parts {
  Parts(FederationCore& core_, FederationHandler& sites,
        const std::string& consortium)
      : core(core_), federation(sites, consortium), admin(core_) {}

  absl::Status StartAdmin(const std::string& socket, const Options& options);
  absl::Status StartPublic(const Identity& identity, HostAndPort& where,
                           const Options& options);

  FederationCore& core;
  FederationService federation;
  AdminService admin;
  // Each object is destroyed before the objects it uses.
  std::unique_ptr<Acceptor> public_acceptor, admin_acceptor;
  std::unique_ptr<ConnectionGuard> public_guard, admin_guard;
  std::unique_ptr<grpc::Server> public_server, admin_server;
};

absl::Status CoordinatorServer::Parts::StartAdmin(const std::string& socket,
                                                  const Options& options) {
  grpc::ServerBuilder builder;
  admin_acceptor = AddAcceptor(builder, grpc::InsecureServerCredentials());
  builder.RegisterService(&admin);
  grpc::ResourceQuota quota("admin");
  quota.SetMaxThreads(kAdminThreads);
  builder.SetResourceQuota(quota);
  admin_server = builder.BuildAndStart();
  if (admin_server == nullptr) {
    return absl::InternalError("cannot start the admin service");
  }
  absl::StatusOr<std::unique_ptr<ConnectionGuard>> guard =
      ConnectionGuard::Create(
          {.limits = {.in_all = kAdminConnections,
                      .per_address = kAdminConnections,
                      .hello = absl::InfiniteDuration(),
                      .first_call = absl::InfiniteDuration()},
           .descriptors = 3 * kAdminConnections,
           .awaits_hello = false,
           .log = options.log},
          [socket] { return ListenOnUnix(socket); }, GiveTo(*admin_acceptor),
          RealClock());
  if (!guard.ok()) return guard.status();
  admin_guard = *std::move(guard);
  admin_guard->Start();
  return absl::OkStatus();
}

absl::Status CoordinatorServer::Parts::StartPublic(const Identity& identity,
                                                   HostAndPort& where,
                                                   const Options& options) {
  grpc::ServerBuilder builder;
  public_acceptor = AddAcceptor(builder, TlsServerCredentials(identity));
  builder.RegisterService(&federation);
  KeepThreads(builder);
  LimitCalls(builder, options);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, (1 << 24) - 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES,
                             kMaxMessageBytes);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000);
  public_server = builder.BuildAndStart();
  if (public_server == nullptr) {
    return absl::InternalError("cannot start the service for sites");
  }
  // A chosen port stays the same.
  absl::StatusOr<ScopedFd> first = ListenOnTcp(where);
  if (!first.ok()) return first.status();
  auto listener = std::make_shared<ScopedFd>(*std::move(first));
  absl::StatusOr<std::unique_ptr<ConnectionGuard>> guard =
      ConnectionGuard::Create(
          PublicGuard(options),
          [listener, where]() mutable -> absl::StatusOr<ScopedFd> {
            if (listener->get() >= 0) return std::move(*listener);
            return ListenOnTcp(where);
          },
          GiveTo(*public_acceptor), RealClock());
  if (!guard.ok()) return guard.status();
  public_guard = *std::move(guard);
  federation.SetOnCall([this](const std::string& peer, const SiteId& site) {
    public_guard->Name(UnescapePeer(peer), site);
  });
  public_guard->Start();
  return absl::OkStatus();
}

CoordinatorServer::CoordinatorServer(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

CoordinatorServer::~CoordinatorServer() {
  // Start may have failed halfway.
  for (ConnectionGuard* guard :
       {parts_->public_guard.get(), parts_->admin_guard.get()}) {
    if (guard != nullptr) guard->Stop();
  }
  // Wakes waiting calls, so that draining is short.
  parts_->core.Shutdown();
  auto deadline = absl::ToChronoTime(absl::Now() + kDrain);
  for (grpc::Server* server :
       {parts_->public_server.get(), parts_->admin_server.get()}) {
    if (server != nullptr) server->Shutdown(deadline);
  }
}

absl::StatusOr<std::unique_ptr<CoordinatorServer>> CoordinatorServer::Start(
    FederationCore& core, const Identity& identity, const std::string& listen,
    const std::string& admin_socket, const Options& options) {
  absl::StatusOr<HostAndPort> where = ParseListen(listen);
  if (!where.ok()) return where.status();
  FederationHandler& sites = options.sites == nullptr ? core : *options.sites;
  std::unique_ptr<CoordinatorServer> server(new CoordinatorServer(
      std::make_unique<Parts>(core, sites, identity.name.consortium)));
  Parts& parts = *server->parts_;
  // The core has locked the folder, so an existing socket is abandoned.
  absl::Status status = parts.StartAdmin(admin_socket, options);
  if (status.ok()) status = parts.StartPublic(identity, *where, options);
  if (!status.ok()) return status;
  server->address_ = absl::StrCat(where->host, ":", where->port);
  server->connections_ = PublicGuard(options).limits.in_all;
  return server;
}

}  // namespace hilum
