// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/service/grpc_transport.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "common/rpc/status.h"
#include "common/rpc/tls.h"
#include "hilum/v1/federation.grpc.pb.h"

namespace hilum {
namespace {

using Stub = v1::Federation::Stub;

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

}  // namespace

struct GrpcTransport::State {
  std::unique_ptr<Stub> stub;
  absl::Mutex mutex;
  std::set<grpc::ClientContext*> in_flight ABSL_GUARDED_BY(mutex);
  grpc::ClientContext* polling ABSL_GUARDED_BY(mutex) = nullptr;
  bool interrupted ABSL_GUARDED_BY(mutex) = false;
  bool shutdown ABSL_GUARDED_BY(mutex) = false;
  std::string peer_certificate ABSL_GUARDED_BY(mutex);
};

GrpcTransport::GrpcTransport(const std::string& coordinator,
                             const Identity& identity)
    : coordinator_(coordinator), state_(std::make_unique<State>()) {
  state_->stub = v1::Federation::NewStub(grpc::CreateCustomChannel(
      coordinator, TlsChannelCredentials(identity), BulkChannelArguments()));
}

GrpcTransport::~GrpcTransport() { Shutdown(); }

absl::Status GrpcTransport::Explain(const absl::Status& status) const {
  if (!absl::IsUnavailable(status)) return status;
  absl::string_view text = status.message();
  std::string message = absl::StrCat("cannot reach ", coordinator_);
  if (absl::StrContains(text, "certificate") ||
      absl::StrContains(text, "SSL") || absl::StrContains(text, "Peer name")) {
    absl::StrAppend(
        &message, ": the certificates do not fit (", text,
        "); is the address one of the coordinator's certificate, and is "
        "tls.authority its consortium's?");
  } else {
    absl::StrAppend(&message, ": ", text);
  }
  return absl::UnavailableError(message);
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
  for (grpc::ClientContext* context : state_->in_flight) context->TryCancel();
}

}  // namespace hilum
