// SPDX-License-Identifier: Apache-2.0
#include "sim/direct_transport.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace hilum {
namespace {

using google::protobuf::DynamicCastToGenerated;
using google::protobuf::Message;

// Length of one wait at the handler. A wait cannot be interrupted, so it is cut
// into slices, and Shutdown is seen between them.
constexpr absl::Duration kSlice = absl::Milliseconds(200);

template <typename Request, typename Response, typename Method>
absl::Status Dispatch(const Message& request, Message* response,
                      Method&& method) {
  const Request* typed_request = DynamicCastToGenerated<Request>(&request);
  Response* typed_response = DynamicCastToGenerated<Response>(response);
  if (typed_request == nullptr || typed_response == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("not this method's messages: ", request.GetTypeName(),
                     ", ", response->GetTypeName()));
  }
  absl::StatusOr<Response> result = method(*typed_request);
  if (!result.ok()) return result.status();
  *typed_response = *std::move(result);
  return absl::OkStatus();
}

}  // namespace

DirectTransport::DirectTransport(FederationHandler& handler, SiteId site,
                                 Clock& clock)
    : handler_(handler), site_(std::move(site)), clock_(clock) {}

absl::Status DirectTransport::Call(absl::string_view method,
                                   const Message& request, Message* response,
                                   absl::Duration timeout) {
  if (shut_down_) return absl::CancelledError("shut down");
  if (method == "NextTask") {
    return Dispatch<v1::NextTaskRequest, v1::NextTaskResponse>(
        request, response,
        [&](const auto& r) -> absl::StatusOr<v1::NextTaskResponse> {
          v1::NextTaskResponse next;
          HILUM_RETURN_IF_ERROR(NextTask(r, next));
          return next;
        });
  }
  if (method == "FetchBlob") {
    return Dispatch<v1::FetchBlobRequest, v1::FetchBlobResponse>(
        request, response,
        [&](const auto& r) { return handler_.FetchBlob(site_, r); });
  }
  if (method == "UploadChunk") {
    return Dispatch<v1::UploadChunkRequest, v1::UploadChunkResponse>(
        request, response,
        [&](const auto& r) { return handler_.UploadChunk(site_, r); });
  }
  if (method == "SubmitCensus") {
    return Dispatch<v1::SubmitCensusRequest, v1::SubmitResponse>(
        request, response,
        [&](const auto& r) { return handler_.SubmitCensus(site_, r); });
  }
  if (method == "SubmitUpdate") {
    return Dispatch<v1::SubmitUpdateRequest, v1::SubmitResponse>(
        request, response,
        [&](const auto& r) { return handler_.SubmitUpdate(site_, r); });
  }
  if (method == "SubmitEvaluation") {
    return Dispatch<v1::SubmitEvaluationRequest, v1::SubmitResponse>(
        request, response,
        [&](const auto& r) { return handler_.SubmitEvaluation(site_, r); });
  }
  if (method == "SubmitSecureStep") {
    return Dispatch<v1::SubmitSecureStepRequest, v1::SubmitResponse>(
        request, response,
        [&](const auto& r) { return handler_.SubmitSecureStep(site_, r); });
  }
  return absl::UnimplementedError(absl::StrCat("no method ", method));
}

absl::Status DirectTransport::NextTask(const v1::NextTaskRequest& request,
                                       v1::NextTaskResponse& response) {
  const absl::Time deadline =
      clock_.Now() + absl::Milliseconds(request.wait_ms());
  v1::NextTaskRequest slice = request;
  do {
    if (shut_down_) return absl::CancelledError("shut down");
    if (interrupted_.exchange(false)) {
      return absl::CancelledError("asked again");
    }
    const absl::Duration wait =
        std::clamp(deadline - clock_.Now(), absl::ZeroDuration(), kSlice);
    slice.set_wait_ms(static_cast<uint32_t>(absl::ToInt64Milliseconds(wait)));
    HILUM_ASSIGN_OR_RETURN(response, handler_.NextTask(site_, slice));
  } while (response.next_case() == v1::NextTaskResponse::kNone &&
           clock_.Now() < deadline);
  return absl::OkStatus();
}

}  // namespace hilum
