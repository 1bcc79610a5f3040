// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "common/config/study.h"

namespace hilum {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kBins = 16;

// `right` of ten cases of each of two classes and each of two folds.
v1::SubmitEvaluationRequest Evaluation(uint64_t right) {
  v1::SubmitEvaluationRequest evaluation;
  for (uint32_t t = 0; t < 2; ++t) {
    v1::TrackEvaluation* track = evaluation.add_tracks();
    track->set_track(t);
    for (uint64_t count : {right, 10 - right, 10 - right, right}) {
      track->add_confusion(count);
    }
    for (int c = 0; c < 2; ++c) {
      v1::ScoreHistogram* scores = track->add_classes();
      for (int b = 0; b < kBins; ++b) {
        const uint64_t high = b == 12 ? right : 0;
        const uint64_t low = b == 3 ? right : 0;
        const uint64_t wrong = 10 - right;
        scores->add_positives(
            static_cast<uint32_t>(high + (b == 3 ? wrong : 0)));
        scores->add_negatives(
            static_cast<uint32_t>(low + (b == 12 ? wrong : 0)));
      }
    }
  }
  return evaluation;
}

class ReportTest : public testing::Test {
 protected:
  ReportTest() : folder_(absl::StrCat(testing::TempDir(), "/rep-", getpid())) {
    std::filesystem::create_directories(folder_);
    study_.set_name("tiny");
    for (const char* label : {"sick", "well"}) study_.add_classes(label);
    for (const char* site : {"a", "b"}) study_.add_sites(site);
    study_.add_arms(v1::ARM_WHOLE);
    study_.mutable_cross_validation()->set_folds(2);
    study_.mutable_evaluation()->set_score_bins(kBins);
    FillStudyDefaults(study_);
    federated_ = Result({{SiteId("a"), 9}, {SiteId("b"), 9}});
  }
  ~ReportTest() override { std::filesystem::remove_all(folder_); }

  StudyResult Result(const std::map<SiteId, uint64_t>& right) const {
    StudyResult result{.study = study_};
    for (const auto& [site, count] : right) {
      result.evaluations[site] = Evaluation(count);
    }
    result.rounds = {{.round = 1, .mean_loss = {1.5, 1.25, 1}}};
    for (const char* track : {"1", "2", "final"}) {
      result.model_sha256.push_back(
          absl::StrCat(right.begin()->first.name(), track));
    }
    return result;
  }

  // A does well at home only; b is middling everywhere.
  Baselines MakeBaselines() const {
    const SiteId a("a"), b("b");
    Baselines baselines;
    baselines.local_only[a] = Result({{a, 8}});
    baselines.local_only[b] = Result({{b, 6}});
    baselines.matrix[a][a] = ComputeCrossSiteScores(study_, Evaluation(8));
    baselines.matrix[a][b] = ComputeCrossSiteScores(study_, Evaluation(3));
    baselines.matrix[b][a] = ComputeCrossSiteScores(study_, Evaluation(5));
    baselines.matrix[b][b] = ComputeCrossSiteScores(study_, Evaluation(6));
    baselines.centralized = Result({{a, 10}, {b, 9}});
    return baselines;
  }

  void Write(const Baselines& baselines) {
    const absl::Status written = WriteReports(federated_, folder_, baselines);
    ASSERT_TRUE(written.ok()) << written;
    text_ = *ReadFile(folder_ + "/report.json");
    html_ = *ReadFile(folder_ + "/report.html");
    arm_ = json::parse(text_)["arms"]["whole"];
  }

  const std::string folder_;
  v1::Study study_;
  StudyResult federated_;
  std::string text_;
  std::string html_;
  json arm_;
};

TEST_F(ReportTest, WithoutBaselinesNothingIsSaidOfThem) {
  Write({});
  EXPECT_EQ(arm_.size(), 1u);
  for (const char* word : {"local_only", "centralized", "matrix", "budget"}) {
    EXPECT_THAT(text_, Not(HasSubstr(word)));
  }
  EXPECT_THAT(html_, Not(HasSubstr("Local only")));
}

TEST_F(ReportTest, BaselinesLeaveTheFederatedFiguresAsTheyAre) {
  Write({});
  const json alone = arm_["federated"];
  Write(MakeBaselines());
  EXPECT_EQ(arm_["federated"], alone);
  EXPECT_EQ(arm_["federated"]["pooled"]["accuracy"], 0.9);
  EXPECT_THAT(json::parse(text_)["conventions"]["matrix"].get<std::string>(),
              HasSubstr("TRAINED_AT"));
}

TEST_F(ReportTest, LocalOnlyPoolsEachSitesCasesByItsOwnModel) {
  Write(MakeBaselines());
  const json& local = arm_["local_only"];
  EXPECT_EQ(local["pooled"]["n"], 80);
  EXPECT_EQ(local["pooled"]["accuracy"], 0.7);
  EXPECT_EQ(local["sites"]["a"]["accuracy"], 0.8);
  EXPECT_EQ(local["sites"]["b"]["accuracy"], 0.6);
  EXPECT_EQ(local["tracks"]["fold-2"]["n"], 40);
  EXPECT_EQ(local["tracks"]["fold-2"]["model_sha256"]["b"], "b2");
  EXPECT_EQ(local["tracks"]["final"]["round_losses"]["a"][0], 1);
  EXPECT_EQ(arm_["centralized"]["pooled"]["accuracy"], 0.95);
  EXPECT_EQ(arm_["centralized"]["tracks"]["fold-1"]["model_sha256"], "a1");
}

TEST_F(ReportTest, TheMatrixSaysTrainedAtThenTestedAt) {
  Write(MakeBaselines());
  const json& matrix = arm_["local_only"]["matrix"];
  EXPECT_EQ(matrix["a"]["b"]["accuracy"], 0.3);
  EXPECT_EQ(matrix["b"]["a"]["accuracy"], 0.5);
  EXPECT_EQ(matrix["a"]["b"]["n"], 40);
  EXPECT_LT(matrix["a"]["b"]["macro"]["auc"], 0.5);
  EXPECT_THAT(html_, HasSubstr("<tr><td>a</td><td>0.800 <span "
                               "class='soft'>80.0 %</span></td><td>0.300"));
}

}  // namespace
}  // namespace hilum
