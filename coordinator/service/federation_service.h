// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_SERVICE_FEDERATION_SERVICE_H_
#define HILUM_COORDINATOR_SERVICE_FEDERATION_SERVICE_H_

#include <functional>
#include <string>
#include <utility>

#include "coordinator/federation_handler.h"
#include "coordinator/service/site_calls.h"
#include "hilum/v1/federation.grpc.pb.h"

namespace hilum {

// Serves hilum.v1.Federation over gRPC: takes the site's name from the peer's
// certificate and passes the message on. NextTask waits without a thread; each
// other call takes one, with a limit for each site. Thread-safe.
class FederationService final
    : public v1::Federation::WithCallbackMethod_NextTask<
          v1::Federation::Service> {
 public:
  // Called with each call's connection (grpc::ServerContext::peer) and the site
  // in its certificate.
  using OnCall = std::function<void(const std::string& peer, const SiteId&)>;

  // Calls of one site that run at the same time.
  static constexpr size_t kCallsPerSite = 8;
  // Largest poll, which stays in memory while it waits: 256 KiB name some 7,000
  // studies.
  static constexpr size_t kMaxPollBytes = 256 << 10;
  static constexpr size_t kMaxChunkBytes = 4 << 20;

  FederationService(FederationHandler& handler, std::string consortium)
      : handler_(handler),
        consortium_(std::move(consortium)),
        calls_(kCallsPerSite) {}
  // Sets the callback. Call before the first call comes.
  void SetOnCall(OnCall on_call) { on_call_ = std::move(on_call); }

  grpc::ServerUnaryReactor* NextTask(grpc::CallbackServerContext* context,
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
  // Returns the site that calls. UNAUTHENTICATED: not a site of this
  // consortium.
  template <typename Context>
  absl::StatusOr<SiteId> Caller(const Context& context) const;
  template <typename Request, typename Response>
  grpc::Status Pass(const grpc::ServerContext& context, const Request& request,
                    Response* response, Method<Request, Response> method);

  FederationHandler& handler_;
  const std::string consortium_;
  SiteCalls calls_;
  OnCall on_call_;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_SERVICE_FEDERATION_SERVICE_H_
