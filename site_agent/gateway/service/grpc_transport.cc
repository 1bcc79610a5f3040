// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/grpc_transport.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <sys/eventfd.h>

#include <optional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/cause.h"
#include "common/base/file.h"
#include "common/rpc/connection_probe.h"
#include "common/rpc/proxy.h"
#include "common/rpc/status.h"
#include "common/rpc/tls.h"
#include "hilum/v1/federation.grpc.pb.h"

namespace hilum {
namespace {

using Stub = v1::Federation::Stub;

// How long a probe's result is used.
constexpr absl::Duration kProbeAge = absl::Seconds(30);

template <typename Request, typename Response>
grpc::Status Send(Stub& stub, grpc::ClientContext& context,
                  grpc::Status (Stub::*method)(grpc::ClientContext*,
                                               const Request&, Response*),
                  const google::protobuf::Message& request,
                  google::protobuf::Message* response) {
  return (stub.*method)(&context, static_cast<const Request&>(request),
                        static_cast<Response*>(response));
}

grpc::Status Dispatch(Stub& stub, absl::string_view method,
                      grpc::ClientContext& context,
                      const google::protobuf::Message& request,
                      google::protobuf::Message* response) {
  if (method == "NextTask") {
    return Send(stub, context, &Stub::NextTask, request, response);
  }
  if (method == "FetchBlob") {
    return Send(stub, context, &Stub::FetchBlob, request, response);
  }
  if (method == "UploadChunk") {
    return Send(stub, context, &Stub::UploadChunk, request, response);
  }
  if (method == "SubmitCensus") {
    return Send(stub, context, &Stub::SubmitCensus, request, response);
  }
  if (method == "SubmitUpdate") {
    return Send(stub, context, &Stub::SubmitUpdate, request, response);
  }
  if (method == "SubmitEvaluation") {
    return Send(stub, context, &Stub::SubmitEvaluation, request, response);
  }
  if (method == "SubmitSecureStep") {
    return Send(stub, context, &Stub::SubmitSecureStep, request, response);
  }
  return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no such method");
}

// gRPC's own limit is met each time; any other is the coordinator's, which may
// have room later.
absl::Status Exhausted(const absl::Status& status) {
  if (absl::StrContains(status.message(), "larger than max")) {
    return WithCause(
        absl::ResourceExhaustedError(absl::StrCat(
            status.message(), "; both sides must be of the same release")),
        Cause::kTooLarge);
  }
  return absl::UnavailableError(
      absl::StrCat("the coordinator has no room: ", status.message()));
}

}  // namespace

struct GrpcTransport::State {
  explicit State(const Identity& own) : identity(own) {}

  // Returns the state of the connection to the coordinator, from a recent probe
  // or else from a new one.
  ConnectionProbe Probe(const std::string& coordinator);

  const Identity identity;
  std::optional<Proxy> proxy;
  std::unique_ptr<Stub> stub;
  const ScopedFd stopping{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

  absl::Mutex mutex;
  std::set<grpc::ClientContext*> in_flight ABSL_GUARDED_BY(mutex);
  grpc::ClientContext* polling ABSL_GUARDED_BY(mutex) = nullptr;
  bool interrupted ABSL_GUARDED_BY(mutex) = false;
  bool shutdown ABSL_GUARDED_BY(mutex) = false;
  std::string peer_certificate ABSL_GUARDED_BY(mutex);

  // Held during a probe: calls that fail together share it.
  absl::Mutex probing;
  absl::Time probed_at ABSL_GUARDED_BY(probing) = absl::InfinitePast();
  ConnectionProbe probe ABSL_GUARDED_BY(probing);
};

GrpcTransport::GrpcTransport(const std::string& coordinator,
                             const Identity& identity)
    : coordinator_(coordinator), state_(std::make_unique<State>(identity)) {
  state_->proxy = ProxyFor(coordinator);
  grpc::ChannelArguments arguments = BulkChannelArguments();
  SetProxy(state_->proxy, arguments);
  state_->stub = v1::Federation::NewStub(grpc::CreateCustomChannel(
      coordinator, TlsChannelCredentials(identity), arguments));
}

GrpcTransport::~GrpcTransport() { Shutdown(); }

ConnectionProbe GrpcTransport::State::Probe(const std::string& coordinator) {
  absl::MutexLock lock(&probing);
  if (absl::Now() - probed_at > kProbeAge) {
    probe = ProbeConnection({.target = coordinator,
                             .identity = &identity,
                             .proxy = proxy,
                             .stop_fd = stopping.get()});
    probed_at = absl::Now();
  }
  return probe;
}

// gRPC gives most faults the same text, so a second connection finds the fault.
absl::Status GrpcTransport::Explain(const absl::Status& told) const {
  // A cause in the coordinator's answer is about its disk, not about this one.
  const absl::Status status = WithCause(told, Cause::kUnknown);
  if (absl::IsResourceExhausted(status)) return Exhausted(status);
  const bool late = absl::IsDeadlineExceeded(status);
  if (!absl::IsUnavailable(status) && !late) return status;
  const ConnectionProbe probe = state_->Probe(coordinator_);
  std::string why = probe.text;
  if (why.empty() && late) {
    why =
        "it takes connections, but did not answer this call in time; if that "
        "comes again, ask the coordinator's people";
  } else if (why.empty()) {
    why = absl::StrCat("the connection broke (", status.message(), ")");
  }
  return absl::Status(status.code(),
                      absl::StrCat("cannot reach ", coordinator_, ": ", why));
}

absl::Status GrpcTransport::Call(absl::string_view method,
                                 const google::protobuf::Message& request,
                                 google::protobuf::Message* response,
                                 absl::Duration timeout) {
  const bool polls = method == "NextTask";
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       absl::ToChronoMilliseconds(timeout));
  {
    absl::MutexLock lock(&state_->mutex);
    if (state_->shutdown) return absl::CancelledError("stopped");
    if (polls && state_->interrupted) {
      state_->interrupted = false;
      return absl::CancelledError("asked again");
    }
    state_->in_flight.insert(&context);
    if (polls) state_->polling = &context;
  }
  grpc::Status status =
      Dispatch(*state_->stub, method, context, request, response);
  {
    absl::MutexLock lock(&state_->mutex);
    state_->in_flight.erase(&context);
    if (status.ok()) {
      state_->peer_certificate = PeerCertificatePem(*context.auth_context());
    }
    if (polls) state_->polling = nullptr;
    if (!status.ok() && state_->shutdown) {
      return absl::CancelledError("stopped");
    }
  }
  return Explain(FromGrpc(status));
}

std::string GrpcTransport::PeerCertificate() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->peer_certificate;
}

void GrpcTransport::Interrupt() {
  absl::MutexLock lock(&state_->mutex);
  if (state_->polling != nullptr) {
    state_->polling->TryCancel();
  } else {
    state_->interrupted = true;
  }
}

void GrpcTransport::Shutdown() {
  absl::MutexLock lock(&state_->mutex);
  state_->shutdown = true;
  eventfd_write(state_->stopping.get(), 1);
  for (grpc::ClientContext* context : state_->in_flight) context->TryCancel();
}

}  // namespace hilum
