// SPDX-License-Identifier: Apache-2.0
#include "sim/direct_transport.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hilum {
namespace {

// Records its calls.
class NotingHandler : public FederationHandler {
 public:
  absl::StatusOr<v1::NextTaskResponse> NextTask(
      const SiteId& site, const v1::NextTaskRequest& request) override {
    Note(site, "NextTask");
    v1::NextTaskResponse response;
    if (calls.size() >= calls_until_task) {
      response.mutable_task()->set_kind(v1::Task::TRAIN);
    } else {
      response.mutable_none();
    }
    now += absl::Milliseconds(request.wait_ms());
    if (transport_to_shut_down != nullptr) transport_to_shut_down->Shutdown();
    return response;
  }
  absl::StatusOr<v1::FetchBlobResponse> FetchBlob(
      const SiteId& site, const v1::FetchBlobRequest&) override {
    Note(site, "FetchBlob");
    return v1::FetchBlobResponse();
  }
  absl::StatusOr<v1::UploadChunkResponse> UploadChunk(
      const SiteId& site, const v1::UploadChunkRequest&) override {
    Note(site, "UploadChunk");
    return v1::UploadChunkResponse();
  }
  absl::StatusOr<v1::SubmitResponse> SubmitCensus(
      const SiteId& site, const v1::SubmitCensusRequest&) override {
    Note(site, "SubmitCensus");
    return v1::SubmitResponse();
  }
  absl::StatusOr<v1::SubmitResponse> SubmitUpdate(
      const SiteId& site, const v1::SubmitUpdateRequest&) override {
    Note(site, "SubmitUpdate");
    return absl::InvalidArgumentError("not finite");
  }
  absl::StatusOr<v1::SubmitResponse> SubmitEvaluation(
      const SiteId& site, const v1::SubmitEvaluationRequest&) override {
    Note(site, "SubmitEvaluation");
    return v1::SubmitResponse();
  }
  absl::StatusOr<v1::SubmitResponse> SubmitSecureStep(
      const SiteId& site, const v1::SubmitSecureStepRequest&) override {
    Note(site, "SubmitSecureStep");
    return v1::SubmitResponse();
  }
  void Note(const SiteId& site, const char* method) {
    calls.push_back(absl::StrCat(site.name(), " ", method));
  }

  std::vector<std::string> calls;
  size_t calls_until_task = 1;
  absl::Time now = absl::UnixEpoch();
  Transport* transport_to_shut_down = nullptr;
};

class HandlerClock : public Clock {
 public:
  explicit HandlerClock(NotingHandler& handler) : handler_(handler) {}
  absl::Time Now() override { return handler_.now; }

 private:
  NotingHandler& handler_;
};

class DirectTransportTest : public testing::Test {
 protected:
  template <typename Request, typename Response>
  absl::Status Call(const char* method) {
    Response response;
    return transport_.Call(method, Request(), &response, absl::Seconds(1));
  }

  NotingHandler handler_;
  HandlerClock clock_{handler_};
  DirectTransport transport_{handler_, SiteId("site-a"), clock_};
};

TEST_F(DirectTransportTest, EachMethodReachesItsHandlerUnderTheSitesName) {
  EXPECT_TRUE(
      (Call<v1::NextTaskRequest, v1::NextTaskResponse>("NextTask").ok()));
  EXPECT_TRUE(
      (Call<v1::FetchBlobRequest, v1::FetchBlobResponse>("FetchBlob").ok()));
  EXPECT_TRUE(
      (Call<v1::UploadChunkRequest, v1::UploadChunkResponse>("UploadChunk")
           .ok()));
  EXPECT_TRUE(
      (Call<v1::SubmitCensusRequest, v1::SubmitResponse>("SubmitCensus").ok()));
  EXPECT_EQ((Call<v1::SubmitUpdateRequest, v1::SubmitResponse>("SubmitUpdate")
                 .code()),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(
      (Call<v1::SubmitEvaluationRequest, v1::SubmitResponse>("SubmitEvaluation")
           .ok()));
  EXPECT_TRUE(
      (Call<v1::SubmitSecureStepRequest, v1::SubmitResponse>("SubmitSecureStep")
           .ok()));
  EXPECT_EQ(handler_.calls,
            (std::vector<std::string>{
                "site-a NextTask", "site-a FetchBlob", "site-a UploadChunk",
                "site-a SubmitCensus", "site-a SubmitUpdate",
                "site-a SubmitEvaluation", "site-a SubmitSecureStep"}));
}

TEST_F(DirectTransportTest, WrongMessagesAndUnknownMethodsAreErrors) {
  EXPECT_EQ(
      (Call<v1::FetchBlobRequest, v1::NextTaskResponse>("NextTask").code()),
      absl::StatusCode::kInvalidArgument);
  EXPECT_EQ((Call<v1::NextTaskRequest, v1::NextTaskResponse>("Gossip").code()),
            absl::StatusCode::kUnimplemented);
  EXPECT_TRUE(handler_.calls.empty());
}

TEST_F(DirectTransportTest, WaitsInSlicesUntilThereIsATask) {
  handler_.calls_until_task = 3;
  v1::NextTaskRequest request;
  request.set_wait_ms(10000);
  v1::NextTaskResponse response;
  ASSERT_TRUE(
      transport_.Call("NextTask", request, &response, absl::Seconds(20)).ok());
  EXPECT_EQ(response.next_case(), v1::NextTaskResponse::kTask);
  EXPECT_EQ(handler_.calls.size(), 3u);
}

TEST_F(DirectTransportTest, ShutdownEndsAWaitingCall) {
  handler_.calls_until_task = 1000000;
  handler_.transport_to_shut_down = &transport_;
  v1::NextTaskRequest request;
  request.set_wait_ms(10000);
  v1::NextTaskResponse response;
  EXPECT_EQ(
      transport_.Call("NextTask", request, &response, absl::Seconds(20)).code(),
      absl::StatusCode::kCancelled);
  EXPECT_EQ(handler_.calls.size(), 1u);
}

}  // namespace
}  // namespace hilum
