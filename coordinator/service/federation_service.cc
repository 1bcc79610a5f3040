// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/federation_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/rpc/status.h"
#include "common/rpc/tls.h"

namespace hilum {

template <typename Request, typename Response>
grpc::Status FederationService::Pass(const grpc::ServerContext& context,
                                     const Request& request, Response* response,
                                     Method<Request, Response> method) {
  absl::StatusOr<BearerName> peer = PeerName(*context.auth_context());
  if (!peer.ok()) return ToGrpc(peer.status());
  if (peer->site.empty() || peer->consortium != consortium_) {
    return ToGrpc(absl::UnauthenticatedError(absl::StrCat(
        BearerUri(*peer), " is not a site of consortium ", consortium_)));
  }
  absl::StatusOr<Response> answer =
      (handler_.*method)(SiteId(peer->site), request);
  if (answer.ok()) *response = *std::move(answer);
  return ToGrpc(answer.status());
}

grpc::Status FederationService::NextTask(grpc::ServerContext* context,
                                         const v1::NextTaskRequest* request,
                                         v1::NextTaskResponse* response) {
  return Pass(*context, *request, response, &FederationHandler::NextTask);
}

grpc::Status FederationService::FetchBlob(grpc::ServerContext* context,
                                          const v1::FetchBlobRequest* request,
                                          v1::FetchBlobResponse* response) {
  return Pass(*context, *request, response, &FederationHandler::FetchBlob);
}

grpc::Status FederationService::UploadChunk(
    grpc::ServerContext* context, const v1::UploadChunkRequest* request,
    v1::UploadChunkResponse* response) {
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
