// SPDX-License-Identifier: Apache-2.0
// The operator's view and options where a study does not go as planned.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/config/study.h"
#include "tests/coordinator/core_at_work.h"

namespace hilum {
namespace {

using CoreFlowsTest = FederationCoreTest;

TEST_F(CoreFlowsTest, OperatorSeesWhomPreparationWaitsForAndWhy) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  ASSERT_TRUE(a.SendCensus(layout_.manifest_sha256, a.Next().task()).ok());
  ASSERT_TRUE(b.SendNoCensus(b.Next().task(), v1::UNABLE_REASON_MANIFEST).ok());
  const v1::StudyStatus status = core_->StatusOf(hash_).value();
  EXPECT_EQ(status.phase(), v1::StudyStatus::PREPARING);
  EXPECT_THAT(status.waiting_for(), testing::ElementsAre("b"));
  ASSERT_EQ(status.unable_size(), 1);
  EXPECT_EQ(status.unable(0).site(), "b");
  EXPECT_THAT(status.unable(0).reason(), testing::HasSubstr("case manifest"));
  ASSERT_TRUE(b.SendCensus(layout_.manifest_sha256, b.Next().task()).ok());
  EXPECT_EQ(core_->StatusOf(hash_)->unable_size(), 0);
  EXPECT_EQ(a.Next().task().kind(), v1::Task::TRAIN);
}

TEST_F(CoreFlowsTest, StoppedStudyIsTakenOnceMoreAndOthersAreNot) {
  EXPECT_EQ(core_->SubmitStudy(study_, "").status().code(),
            absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(core_->StopStudy(hash_).ok());
  const auto second = core_->SubmitStudy(study_, "");
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE(*second, hash_);
  EXPECT_EQ(core_->StatusOf(*second)->name(), study_.name());
  EXPECT_EQ(core_->SubmitStudy(study_, "").status().code(),
            absl::StatusCode::kAlreadyExists);
  // Officers decide on it anew, even if they have approved the first one.
  v1::NextTaskRequest request;
  request.mutable_header()->set_protocol_version(kProtocolVersion);
  request.add_refused_studies(hash_);
  const std::string offered =
      core_->NextTask(SiteId("a"), request)->offer().study();
  EXPECT_EQ(Sha256Of(offered), *second);
  EXPECT_EQ(ParseStudy(offered)->resubmission(), 1u);
  ASSERT_TRUE(core_->StopStudy(*second).ok());
  Open();
  EXPECT_TRUE(core_->SubmitStudy(study_, "").ok());
}

TEST_F(CoreFlowsTest, StoppedStudyExportsItsLastModelsWhereThatIsAsked) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  Prepare(a, b);
  const std::string out = absl::StrCat(dir_, "/out");
  EXPECT_EQ(core_->ExportStudy(hash_, out, true).status().code(),
            absl::StatusCode::kFailedPrecondition);  // it goes on
  ASSERT_TRUE(a.SendUpdate(a.Next().task(), Delta(0.5f)).ok());
  ASSERT_TRUE(b.SendUpdate(b.Next().task(), Delta(0.5f)).ok());
  EXPECT_EQ(a.Next().task().header().round(), 2u);
  ASSERT_TRUE(core_->StopStudy(hash_).ok());
  const absl::Status whole = core_->ExportStudy(hash_, out).status();
  EXPECT_EQ(whole.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(whole.message()), testing::HasSubstr("--partial"));
  const auto files = core_->ExportStudy(hash_, out, true);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_THAT(*files, testing::Contains("model/whole-final.safetensors"));
  const auto mark = testing::HasSubstr("stopped after round 1 of 2");
  for (const char* file : {"report.json", "report.html", "model/README.md",
                           "model/whole-final.safetensors"}) {
    EXPECT_THAT(ReadFile(absl::StrCat(out, "/", file)).value(), mark) << file;
  }
}

TEST_F(CoreFlowsTest, StudyStoppedBeforeItsFirstRoundHasNothingToExport) {
  ASSERT_TRUE(core_->StopStudy(hash_).ok());
  const absl::Status none =
      core_->ExportStudy(hash_, absl::StrCat(dir_, "/out"), true).status();
  EXPECT_EQ(none.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(none.message()), testing::HasSubstr("no models"));
}

// A site withholds updates where its training diverges in every round.
TEST_F(CoreFlowsTest, StudyThatNobodyTrainedEndsWithAWarningAndNoModel) {
  FakeSite a(*core_, "a", hash_), b(*core_, "b", hash_);
  Prepare(a, b);
  for (int round = 1; round <= 2; ++round) {
    for (FakeSite* site : {&a, &b}) {
      const v1::Task task = site->Next().task();
      std::vector<uint32_t> zeros(Delta(0).size() + 4);
      ASSERT_TRUE(
          site->SubmitUpdate(task, site->Upload(task, zeros).value()).ok());
    }
  }
  EXPECT_EQ(core_->StatusOf(hash_)->warning(), "");  // it has not ended
  ASSERT_TRUE(a.SendEvaluation(a.Next().task()).ok());
  ASSERT_TRUE(b.SendEvaluation(b.Next().task()).ok());
  EXPECT_TRUE(a.Next().ended().completed());
  EXPECT_THAT(core_->StatusOf(hash_)->warning(),
              testing::HasSubstr("No model of this study was trained"));
  const std::string out = absl::StrCat(dir_, "/out");
  const auto files = core_->ExportStudy(hash_, out);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_THAT(*files, testing::Contains("report.html"));
  EXPECT_THAT(
      *files,
      testing::Not(testing::Contains(testing::EndsWith(".safetensors"))));
  EXPECT_FALSE(FileExists(out + "/model/whole-final.safetensors"));
  const auto report = nlohmann::json::parse(*ReadFile(out + "/report.json"));
  EXPECT_EQ(report["rounds"][0]["sites"], nlohmann::json::array());
  EXPECT_EQ(report["arms"]["whole"]["federated"]["pooled"]["n"], 0);
  Open();  // a restart keeps it
  EXPECT_NE(core_->StatusOf(hash_)->warning(), "");
}

}  // namespace
}  // namespace hilum
