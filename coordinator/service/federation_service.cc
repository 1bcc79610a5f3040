// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/federation_service.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/status.h"
#include "common/rpc/tls.h"

namespace hilum {
namespace {

// One poll: answered by the handler, or cancelled when its caller goes.
class PollReactor : public grpc::ServerUnaryReactor {
 public:
  PollReactor(FederationHandler& handler, v1::NextTaskResponse* response)
      : handler_(handler), response_(response) {}

  // gRPC delays an early Finish until it has the reactor.
  void Start(const SiteId& site, const v1::NextTaskRequest& request) {
    poll_ = handler_.StartNextTask(
        site, request, [this](absl::StatusOr<v1::NextTaskResponse> answer) {
          if (answer.ok()) *response_ = std::move(*answer);
          Finish(ToGrpc(answer.status()));
        });
  }
  void OnCancel() override { handler_.CancelPoll(poll_); }
  void OnDone() override { delete this; }

 private:
  FederationHandler& handler_;
  v1::NextTaskResponse* response_;
  uint64_t poll_ = 0;
};

}  // namespace

template <typename Context>
absl::StatusOr<SiteId> FederationService::Caller(const Context& context) const {
  absl::StatusOr<BearerName> peer = PeerName(*context.auth_context());
  if (!peer.ok()) return peer.status();
  if (peer->site.empty() || peer->consortium != consortium_) {
    return absl::UnauthenticatedError(absl::StrCat(
        BearerUri(*peer), " is not a site of consortium ", consortium_));
  }
  SiteId site(peer->site);
  if (on_call_) on_call_(context.peer(), site);
  return site;
}

template <typename Request, typename Response>
grpc::Status FederationService::Pass(const grpc::ServerContext& context,
                                     const Request& request, Response* response,
                                     Method<Request, Response> method) {
  absl::StatusOr<SiteId> site = Caller(context);
  if (!site.ok()) return ToGrpc(site.status());
  absl::StatusOr<SiteCalls::Ticket> ticket = calls_.Begin(*site);
  if (!ticket.ok()) return ToGrpc(ticket.status());
  absl::StatusOr<Response> answer = (handler_.*method)(*site, request);
  if (answer.ok()) *response = std::move(*answer);
  return ToGrpc(answer.status());
}

grpc::ServerUnaryReactor* FederationService::NextTask(
    grpc::CallbackServerContext* context, const v1::NextTaskRequest* request,
    v1::NextTaskResponse* response) {
  auto reactor = std::make_unique<PollReactor>(handler_, response);
  absl::StatusOr<SiteId> site = Caller(*context);
  if (!site.ok()) {
    reactor->Finish(ToGrpc(site.status()));
  } else if (request->ByteSizeLong() > kMaxPollBytes) {
    reactor->Finish(ToGrpc(absl::InvalidArgumentError(absl::StrCat(
        "a poll of ", request->ByteSizeLong(), " bytes; ", kMaxPollBytes,
        " is the most: forget studies that are over"))));
  } else {
    reactor->Start(*site, *request);
  }
  return reactor.release();  // deletes itself
}

grpc::Status FederationService::FetchBlob(grpc::ServerContext* context,
                                          const v1::FetchBlobRequest* request,
                                          v1::FetchBlobResponse* response) {
  return Pass(*context, *request, response, &FederationHandler::FetchBlob);
}

grpc::Status FederationService::UploadChunk(
    grpc::ServerContext* context, const v1::UploadChunkRequest* request,
    v1::UploadChunkResponse* response) {
  if (request->data().size() > kMaxChunkBytes) {
    return ToGrpc(absl::InvalidArgumentError(
        absl::StrCat("a chunk of ", request->data().size(), " bytes; ",
                     kMaxChunkBytes, " is the most")));
  }
  return Pass(*context, *request, response, &FederationHandler::UploadChunk);
}

grpc::Status FederationService::SubmitCensus(
    grpc::ServerContext* context, const v1::SubmitCensusRequest* request,
    v1::SubmitResponse* response) {
  return Pass(*context, *request, response, &FederationHandler::SubmitCensus);
}

grpc::Status FederationService::SubmitUpdate(
    grpc::ServerContext* context, const v1::SubmitUpdateRequest* request,
    v1::SubmitResponse* response) {
  return Pass(*context, *request, response, &FederationHandler::SubmitUpdate);
}

grpc::Status FederationService::SubmitEvaluation(
    grpc::ServerContext* context, const v1::SubmitEvaluationRequest* request,
    v1::SubmitResponse* response) {
  return Pass(*context, *request, response,
              &FederationHandler::SubmitEvaluation);
}

grpc::Status FederationService::SubmitSecureStep(
    grpc::ServerContext* context, const v1::SubmitSecureStepRequest* request,
    v1::SubmitResponse* response) {
  return Pass(*context, *request, response,
              &FederationHandler::SubmitSecureStep);
}

}  // namespace hilum
