// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_FEDERATION_SERVICE_H_
#define HILUM_COORDINATOR_SERVICE_FEDERATION_SERVICE_H_

#include <string>

#include "coordinator/federation_handler.h"
#include "hilum/v1/federation.grpc.pb.h"

namespace hilum {

// hilum.v1.Federation over gRPC: takes the site's name from the peer's
// certificate and passes the message on. Thread-safe.
class FederationService final : public v1::Federation::Service {
 public:
  FederationService(FederationHandler& handler, std::string consortium)
      : handler_(handler), consortium_(std::move(consortium)) {}

  grpc::Status NextTask(grpc::ServerContext* context,
                        const v1::NextTaskRequest* request,
                        v1::NextTaskResponse* response) override;
  grpc::Status FetchBlob(grpc::ServerContext* context,
                         const v1::FetchBlobRequest* request,
                         v1::FetchBlobResponse* response) override;
  grpc::Status UploadChunk(grpc::ServerContext* context,
                           const v1::UploadChunkRequest* request,
                           v1::UploadChunkResponse* response) override;
  grpc::Status SubmitCensus(grpc::ServerContext* context,
                            const v1::SubmitCensusRequest* request,
                            v1::SubmitResponse* response) override;
  grpc::Status SubmitUpdate(grpc::ServerContext* context,
                            const v1::SubmitUpdateRequest* request,
                            v1::SubmitResponse* response) override;
  grpc::Status SubmitEvaluation(grpc::ServerContext* context,
                                const v1::SubmitEvaluationRequest* request,
                                v1::SubmitResponse* response) override;
  grpc::Status SubmitSecureStep(grpc::ServerContext* context,
                                const v1::SubmitSecureStepRequest* request,
                                v1::SubmitResponse* response) override;

 private:
  template <typename Request, typename Response>
  using Method = absl::StatusOr<Response> (FederationHandler::*)(
      const SiteId&, const Request&);
  template <typename Request, typename Response>
  grpc::Status Pass(const grpc::ServerContext& context, const Request& request,
                    Response* response, Method<Request, Response> method);

  FederationHandler& handler_;
  const std::string consortium_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_FEDERATION_SERVICE_H_
