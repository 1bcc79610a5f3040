// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COORDINATOR_FEDERATION_HANDLER_H_
#define HILUM_COORDINATOR_FEDERATION_HANDLER_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "hilum/v1/federation.pb.h"

namespace hilum {

// The federation service without its network: one method per RPC of
// hilum.v1.Federation. The caller has authenticated the site's name. The gRPC
// service and the simulator's in-process transport use the same object.
// Thread-safe; NextTask blocks its caller until there is something to do,
// request.wait_ms has passed or the handler shuts down.
class FederationHandler {
 public:
  using PollDone = std::function<void(absl::StatusOr<v1::NextTaskResponse>)>;

  virtual ~FederationHandler() = default;
  // Starts a NextTask without a waiting thread: calls `done` once, now or later
  // and from any thread. Returns an id for CancelPoll.
  virtual uint64_t StartNextTask(
      const SiteId& site, const v1::NextTaskRequest& request,
      // Other handlers keep it.
      // NOLINTNEXTLINE(performance-unnecessary-value-param)
      PollDone done) {
    done(NextTask(site, request));
    return 0;
  }
  // Cancels a poll whose caller has gone: `done` is called soon, if it was not.
  // Does nothing for a finished poll.
  virtual void CancelPoll(uint64_t poll) {}
  virtual absl::StatusOr<v1::NextTaskResponse> NextTask(
      const SiteId& site, const v1::NextTaskRequest& request) = 0;
  virtual absl::StatusOr<v1::FetchBlobResponse> FetchBlob(
      const SiteId& site, const v1::FetchBlobRequest& request) = 0;
  virtual absl::StatusOr<v1::UploadChunkResponse> UploadChunk(
      const SiteId& site, const v1::UploadChunkRequest& request) = 0;
  virtual absl::StatusOr<v1::SubmitResponse> SubmitCensus(
      const SiteId& site, const v1::SubmitCensusRequest& request) = 0;
  virtual absl::StatusOr<v1::SubmitResponse> SubmitUpdate(
      const SiteId& site, const v1::SubmitUpdateRequest& request) = 0;
  virtual absl::StatusOr<v1::SubmitResponse> SubmitEvaluation(
      const SiteId& site, const v1::SubmitEvaluationRequest& request) = 0;
  virtual absl::StatusOr<v1::SubmitResponse> SubmitSecureStep(
      const SiteId& site, const v1::SubmitSecureStepRequest& request) = 0;
};

}  // namespace hilum

#endif  // HILUM_COORDINATOR_FEDERATION_HANDLER_H_
