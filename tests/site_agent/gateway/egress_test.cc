// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/egress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "google/protobuf/unknown_field_set.h"
#include "hilum/v1/federation.pb.h"
#include "hilum/v1/trainer.pb.h"

namespace hilum {
namespace {

using testing::HasSubstr;

std::string RefusalOf(const google::protobuf::Message& message) {
  absl::Status status = CheckEgress(message);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  return std::string(status.message());
}

TEST(EgressTest, EveryFieldOfEveryRequestIsAnnotated) {
  const auto* service =
      v1::NextTaskRequest::descriptor()->file()->FindServiceByName(
          "Federation");
  ASSERT_EQ(service->method_count(), 7);
  for (int i = 0; i < service->method_count(); ++i) {
    absl::Status status = CheckAnnotations(*service->method(i)->input_type());
    EXPECT_TRUE(status.ok()) << status;
  }
}

TEST(EgressTest, FieldWithoutAnnotationIsRefused) {
  v1::PrepareRequest request;
  request.set_manifest("/data/manifest.csv");
  EXPECT_THAT(RefusalOf(request), HasSubstr("hilum.v1.PrepareRequest.manifest "
                                            "has no egress annotation"));
  EXPECT_FALSE(CheckAnnotations(*v1::PrepareRequest::descriptor()).ok());
}

TEST(EgressTest, FieldOverItsLimitIsRefused) {
  v1::UploadChunkRequest request;
  request.set_data(std::string((4 << 20) + 4, '\0'));
  EXPECT_THAT(RefusalOf(request), HasSubstr("UploadChunkRequest.data"));
  request.set_data(std::string(4 << 20, '\0'));
  EXPECT_TRUE(CheckEgress(request).ok());
}

TEST(EgressTest, VectorOfOtherThanWholeWordsIsRefused) {
  v1::UploadChunkRequest request;
  for (const char* data : {"abc", "abcde"}) {
    request.set_data(data);
    EXPECT_THAT(RefusalOf(request), HasSubstr("RING32_VECTOR"));
  }
  request.set_data(std::string("\0\0\xc0\x7f\xff\xff\xff\xff", 8));
  EXPECT_TRUE(CheckEgress(request).ok());
}

TEST(EgressTest, TextOutsideItsFormatIsRefused) {
  v1::NextTaskRequest request;
  request.set_software_version("0.1 John Doe");
  EXPECT_THAT(RefusalOf(request), HasSubstr("VERSION"));
  request.set_software_version("0.1.0");
  request.add_approved_studies("not a hash");
  EXPECT_THAT(RefusalOf(request), HasSubstr("SHA256"));
}

TEST(EgressTest, InnerMessagesAreWalkedToo) {
  v1::SubmitUpdateRequest request;
  request.mutable_update()->set_sha256("short");
  EXPECT_THAT(RefusalOf(request), HasSubstr("BlobRef.sha256"));
}

TEST(EgressTest, FieldsOfAnotherBuildAreRefused) {
  v1::SubmitCensusRequest request;
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(
      999, "pixels");
  EXPECT_THAT(RefusalOf(request), HasSubstr("does not know"));
}

// The doorway is one: no source but the gate's hands bytes to a transport.
TEST(EgressTest, TransportIsCalledInOnePlace) {
  namespace fs = std::filesystem;
  std::vector<std::string> callers;
  for (const char* folder : {"/site_agent", "/sim"}) {
    for (const auto& entry : fs::recursive_directory_iterator(
             std::string(HILUM_SOURCE_DIR) + folder)) {
      if (entry.path().extension() != ".cc") continue;
      std::ifstream file(entry.path());
      std::stringstream text;
      text << file.rdbuf();
      if (absl::StrContains(text.str(), "transport_.Call(") ||
          absl::StrContains(text.str(), "transport.Call(") ||
          absl::StrContains(text.str(), "transport->Call(")) {
        callers.push_back(entry.path().filename());
      }
    }
  }
  EXPECT_THAT(callers, testing::ElementsAre("egress_gate.cc"));
}

}  // namespace
}  // namespace hilum
