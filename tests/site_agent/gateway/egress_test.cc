// SPDX-License-Identifier: Apache-2.0
#include "site_agent/gateway/egress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "common/config/census.h"
#include "common/metrics/fingerprint.h"
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

TEST(EgressTest, FieldThatOccursTooOftenIsRefused) {
  v1::NextTaskRequest poll;
  for (int i = 0; i < 1024; ++i) poll.add_known_studies(std::string(32, 'h'));
  EXPECT_TRUE(CheckEgress(poll).ok());
  poll.add_known_studies(std::string(32, 'h'));
  EXPECT_THAT(RefusalOf(poll), HasSubstr("occurs 1025 times, may occur 1024"));
  v1::SubmitCensusRequest census;
  for (int i = 0; i < 3; ++i) census.add_arms();
  EXPECT_THAT(RefusalOf(census), HasSubstr("SubmitCensusRequest.arms"));
}

TEST(EgressTest, RequestTooLongAsAWholeIsRefused) {
  v1::SubmitEvaluationRequest evaluation;
  v1::TrackEvaluation track;
  for (int c = 0; c < 3; ++c) {
    track.add_classes()->mutable_positives()->Resize(100000, 1);
  }
  for (int t = 0; t < 27; ++t) *evaluation.add_tracks() = track;
  EXPECT_TRUE(CheckEgress(evaluation).ok()) << CheckEgress(evaluation);
  *evaluation.add_tracks() = track;
  EXPECT_THAT(RefusalOf(evaluation),
              HasSubstr("SubmitEvaluationRequest has 84"));
}

TEST(EgressTest, InnerMessagesAreWalkedToo) {
  v1::SubmitUpdateRequest request;
  request.mutable_update()->set_sha256("short");
  EXPECT_THAT(RefusalOf(request), HasSubstr("BlobRef.sha256"));
}

// The census has 32 classes, the most folds and the largest numbers.
TEST(EgressTest, LargestCensusMayLeave) {
  v1::SubmitCensusRequest census;
  for (int a = 0; a < 2; ++a) {
    v1::ArmCensus& arm = *census.add_arms();
    arm.mutable_fold_class_counts()->Resize(20 * 32, kMaxArmCases / (20 * 32));
    *arm.mutable_fold_class_patients() = arm.fold_class_counts();
    *arm.mutable_fold_class_seen() = arm.fold_class_counts();
    *arm.mutable_fold_class_unseen_patients() = arm.fold_class_counts();
    arm.mutable_fold_validation_patients()->Resize(20, kMaxArmCases);
    v1::Fingerprint& print = *arm.mutable_fingerprint();
    print = EmptyFingerprint();
    for (uint64_t& gray : *print.mutable_grays()) gray = uint64_t{1} << 33;
    for (uint64_t& cases : *print.mutable_sides()) cases = kMaxArmCases;
    print.set_masked(kMaxArmCases);
    print.set_lung_share(uint64_t{1} << 33);
  }
  census.mutable_rejected_masks()->Resize(32, kMaxRows);
  census.set_lungs_network_cases(kMaxRows);
  census.set_orientation_network_cases(kMaxRows);
  census.set_cases_not_compared(kMaxRows);
  EXPECT_TRUE(CheckEgress(census).ok()) << CheckEgress(census);
  // One number more than there are bins exceeds the field's bytes.
  census.mutable_arms(0)->mutable_fingerprint()->mutable_grays()->Resize(
      80, uint64_t{1} << 33);
  EXPECT_THAT(RefusalOf(census), HasSubstr("grays"));
}

TEST(EgressTest, LargestOverlapsMayLeave) {
  v1::SubmitEvaluationRequest evaluation;
  for (uint32_t t = 0; t < 20; ++t) {
    v1::TrackEvaluation& track = *evaluation.add_tracks();
    track.set_track(t);
    track.set_loss_sum(1e9);
    for (int c = 0; c < 33; ++c) {
      v1::Overlap& overlap = *track.add_overlaps();
      for (auto set : {&v1::Overlap::set_cases, &v1::Overlap::set_patients,
                       &v1::Overlap::set_implausible}) {
        (overlap.*set)(kMaxArmCases);
      }
      for (auto set :
           {&v1::Overlap::set_dice_sum, &v1::Overlap::set_dice_square_sum,
            &v1::Overlap::set_iou_sum, &v1::Overlap::set_iou_square_sum}) {
        (overlap.*set)(0.9e6);
      }
    }
  }
  EXPECT_TRUE(CheckEgress(evaluation).ok()) << CheckEgress(evaluation);
}

TEST(EgressTest, FieldsOfAnotherBuildAreRefused) {
  v1::SubmitCensusRequest request;
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(
      999, "pixels");
  EXPECT_THAT(RefusalOf(request), HasSubstr("does not know"));
}

// Returns a site's answer to a step of a masked sum with `peers` peers.
v1::SubmitSecureStepRequest Shares(int peers) {
  v1::SubmitSecureStepRequest step;
  step.set_sum_id(std::string(32, 'x'));
  for (int i = 0; i < peers; ++i) {
    v1::SealedShare& share = *step.mutable_shares()->add_shares();
    share.set_site(std::string(63, 'n'));
    share.set_sealed(std::string(96, 's'));
  }
  step.mutable_shares()->set_self_mask_commitment(std::string(32, 'c'));
  return step;
}
v1::SubmitSecureStepRequest Revealed(int peers) {
  v1::SubmitSecureStepRequest step;
  step.set_sum_id(std::string(32, 'x'));
  for (int i = 0; i < peers; ++i) {
    v1::RevealedShare& share = *step.mutable_revealed()->add_shares();
    share.set_site(std::string(63, 'n'));
    share.set_self_mask(true);
    share.set_share(std::string(40, '\x1f'));
  }
  return step;
}

TEST(EgressTest, StepsOfALargeCohortMayLeave) {
  EXPECT_TRUE(CheckEgress(Shares(99)).ok());
  EXPECT_TRUE(CheckEgress(Revealed(100)).ok());
}

TEST(EgressTest, SharesOfAnotherSizeAreRefused) {
  for (size_t size : {95, 97, 1, 2000}) {
    v1::SubmitSecureStepRequest step = Shares(3);
    step.mutable_shares()->mutable_shares(1)->set_sealed(
        std::string(size, 's'));
    EXPECT_THAT(RefusalOf(step), HasSubstr("Share")) << size;
  }
  for (size_t size : {39, 41, 1, 2000}) {
    v1::SubmitSecureStepRequest step = Revealed(3);
    step.mutable_revealed()->mutable_shares(1)->set_share(
        std::string(size, '\x1f'));
    EXPECT_THAT(RefusalOf(step), HasSubstr("Share")) << size;
  }
  // The share is not a number of the field.
  v1::SubmitSecureStepRequest step = Revealed(3);
  step.mutable_revealed()->mutable_shares(1)->set_share(std::string(32, '\0') +
                                                        std::string(8, '\xff'));
  EXPECT_THAT(RefusalOf(step), HasSubstr("RevealedShare.share"));
}

TEST(EgressTest, ListOverItsLimitIsRefused) {
  EXPECT_THAT(RefusalOf(Shares(1600)),
              HasSubstr("SubmitSecureStepRequest.shares has"));
  EXPECT_THAT(RefusalOf(Revealed(2000)),
              HasSubstr("SubmitSecureStepRequest.revealed has"));
}

TEST(EgressTest, KeysOfAnotherSizeAreRefused) {
  for (size_t size : {31, 33}) {
    v1::SubmitSecureStepRequest step;
    step.mutable_keys()->set_mask_key(std::string(size, 'k'));
    EXPECT_THAT(RefusalOf(step), HasSubstr("RoundKeys.mask_key"));
    step.mutable_keys()->clear_mask_key();
    step.mutable_keys()->set_share_key(std::string(size, 'k'));
    EXPECT_THAT(RefusalOf(step), HasSubstr("RoundKeys.share_key"));
    step.mutable_keys()->clear_share_key();
    step.set_sum_id(std::string(size, 'x'));
    EXPECT_THAT(RefusalOf(step), HasSubstr("SubmitSecureStepRequest.sum_id"));
  }
}

TEST(EgressTest, TextThatIsNoCertificateIsRefused) {
  const std::string begin = "-----BEGIN CERTIFICATE-----\n",
                    end = "-----END CERTIFICATE-----\n";
  v1::SubmitSecureStepRequest step;
  std::string& certificate = *step.mutable_keys()->mutable_certificate();
  certificate = begin + "MIIB+/==\n" + end;
  EXPECT_TRUE(CheckEgress(step).ok());
  for (const std::string& text :
       {std::string("Jane Doe"), begin, "MIIB\n" + end,
        begin + "Jane Doe\n" + end, "Jane\n" + begin + "MIIB\n" + end,
        begin + "MIIB\n" + end + "Jane\n",
        begin + "MIIB\n" + end + begin + "MIIB\n" + end,
        begin + std::string(4096, 'A') + "\n" + end}) {
    certificate = text;
    EXPECT_THAT(RefusalOf(step), HasSubstr("RoundKeys.certificate")) << text;
  }
}

TEST(EgressTest, BytesThatAreNoSignatureAreRefused) {
  for (const std::string& bytes : {std::string("0 short"), std::string(70, 's'),
                                   '0' + std::string(80, 's')}) {
    v1::SubmitSecureStepRequest step;
    step.mutable_confirmation()->set_signature(bytes);
    EXPECT_THAT(RefusalOf(step), HasSubstr("signature")) << bytes;
  }
}

// No source but the gate's hands bytes to a transport.
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
