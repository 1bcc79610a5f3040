// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "coordinator/report/model_card.h"
#include "tests/coordinator/secure_report.h"

namespace hilum {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

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

// Withholds a class's histograms of the first `folds` folds.
void Withhold(int label, int folds, StudyResult& result) {
  ShownHistograms shown(6, true);
  for (int fold = 0; fold < folds; ++fold) {
    shown[static_cast<size_t>(2 * fold + label)] = false;
  }
  WithholdHistograms(shown, *result.evaluation_totals.mutable_tracks());
}

TEST_F(ReportTest, ClassWithTooFewPatientsHasNoAucAndSaysWhy) {
  Write({});
  const json all = arm_["federated"]["pooled"];
  EXPECT_FALSE(all["per_class"]["sick"].contains("auc_note"));
  Withhold(0, 2, federated_);
  Write({});
  const json& pooled = arm_["federated"]["pooled"];
  const json& sick = pooled["per_class"]["sick"];
  for (const char* key : {"auc", "auc_error_bound", "ci95"}) {
    EXPECT_TRUE(sick[key].is_null()) << key;
  }
  EXPECT_EQ(sick["auc_note"], "not shown (fewer than ten patients)");
  // Figures that are not made of scores stay, and so does the other class.
  EXPECT_EQ(sick["sensitivity"], all["per_class"]["sick"]["sensitivity"]);
  EXPECT_EQ(pooled["per_class"]["well"], all["per_class"]["well"]);
  EXPECT_EQ(pooled["macro"]["auc"], all["per_class"]["well"]["auc"]);
  EXPECT_TRUE(arm_["federated"]["tracks"]["fold-1"]["per_class"]["sick"]["auc"]
                  .is_null());
  EXPECT_THAT(html_, HasSubstr("not shown (fewer than ten patients)"));
  EXPECT_THAT(ModelCard(federated_, text_).value(),
              HasSubstr("– not shown (fewer than ten patients)"));
}

TEST_F(ReportTest, PooledAucIsOfTheFoldsThatAreShownAndSaysSo) {
  Write({});
  const json fold = arm_["federated"]["tracks"]["fold-2"];
  Withhold(1, 1, federated_);
  Write({});
  const json& well = arm_["federated"]["pooled"]["per_class"]["well"];
  EXPECT_EQ(well["auc"], fold["per_class"]["well"]["auc"]);
  EXPECT_EQ(well["ci95"], fold["per_class"]["well"]["ci95"]);
  EXPECT_EQ(well["auc_note"],
            "of 1 of 2 folds, the others have fewer than ten patients");
  EXPECT_THAT(html_, HasSubstr("(of 1 of 2 folds"));
  EXPECT_EQ(arm_["federated"]["tracks"]["fold-2"], fold);
}

// A site that withholds may meet one that does not yet know that it should: the
// sum is then of neither.
TEST_F(ReportTest, SumThatLacksSomeSitesScoresIsNotShown) {
  v1::TrackEvaluation& track = *federated_.evaluation_totals.mutable_tracks(0);
  for (uint32_t& count : *track.mutable_classes(0)->mutable_positives()) {
    count /= 2;
  }
  Write({});
  const json& fold = arm_["federated"]["tracks"]["fold-1"]["per_class"];
  EXPECT_TRUE(fold["sick"]["auc"].is_null());
  EXPECT_TRUE(fold["well"]["auc"].is_number());
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
  EXPECT_EQ(local["round_losses"]["a"], json({1.25}));
  EXPECT_FALSE(local["tracks"]["final"].contains("round_losses"));
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

TEST_F(ReportTest, CohortIsTheSumOfItsSites) {
  Write({});
  EXPECT_EQ(report_["secure_aggregation"], false);
  const json& cohort = report_["cohort"];
  EXPECT_EQ(cohort["sites"], json({"a", "b"}));
  EXPECT_EQ(cohort["rows"], 100);
  EXPECT_EQ(cohort["rejected_rows"], 4);
  EXPECT_EQ(cohort["arms"]["whole"]["without_mask"], 2);
  EXPECT_EQ(cohort["arms"]["whole"]["cases"]["sick"], 40);
  EXPECT_EQ(report_["census"]["b"]["arms"]["whole"]["cases"]["sick"], 20);
  EXPECT_THAT(html_, HasSubstr("2 sites, 1 rounds"));
  EXPECT_THAT(html_, HasSubstr("secure aggregation: off"));
  EXPECT_THAT(html_, HasSubstr("<b>cohort</b></td><td>40</td><td>40</td>"
                               "<td>2</td><td>4 of 100"));
  EXPECT_THAT(html_, Not(HasSubstr("not known")));
}

TEST_F(ReportTest, MapsAreShownWhereSomeWereComparedAndOnlyThere) {
  Write({});
  EXPECT_FALSE(arm_["federated"]["pooled"].contains("localization"));
  EXPECT_THAT(html_, Not(HasSubstr("Where the models look")));
  for (auto& [site, evaluation] : federated_.evaluations) {
    if (site.name() == "b") continue;
    for (v1::TrackEvaluation& track : *evaluation.mutable_tracks()) {
      track.set_mapped(8);
      track.set_map_in_lungs_sum(6);
      track.set_lung_share_sum(2);
    }
  }
  federated_.evaluation_totals = SumEvaluations(study_, federated_.evaluations);
  Write({});
  const json want = {{"n", 16}, {"map_in_lungs", 0.75}, {"lung_share", 0.25}};
  EXPECT_EQ(arm_["federated"]["pooled"]["localization"], want);
  EXPECT_EQ(arm_["federated"]["sites"]["a"]["localization"], want);
  EXPECT_FALSE(arm_["federated"]["sites"]["b"].contains("localization"));
  EXPECT_EQ(arm_["federated"]["tracks"]["fold-2"]["localization"]["n"], 8);
  EXPECT_THAT(html_, HasSubstr("<td>Whole radiograph</td><td>16</td>"
                               "<td>75.0 %</td><td>25.0 %</td>"));
}

TEST_F(ReportTest, WithoutValidationNothingIsSaidOfIt) {
  Write({});
  EXPECT_THAT(text_, Not(HasSubstr("validation")));
  EXPECT_THAT(html_, Not(HasSubstr("alidation loss")));
  EXPECT_THAT(html_, Not(HasSubstr("class='chance marked'")));
}

// Rounds 1 to 4 of ten; round 2 tried nothing, and nothing tries fold 2.
class ValidatedReportTest : public ReportTest {
 protected:
  ValidatedReportTest() {
    study_.mutable_training()->mutable_validation()->set_share(0.1);
    study_.mutable_training()->mutable_validation()->set_patience(1);
    federated_ = Result({{SiteId("a"), 9}});
    const double nan = std::numeric_limits<double>::quiet_NaN();
    federated_.rounds.clear();
    for (uint32_t r = 1; r <= 4; ++r) {
      const double loss = r == 2 ? nan : 1.0 / r;
      federated_.rounds.push_back(
          {.round = r,
           .contributors = {SiteId("a")},
           .mean_loss = {2},
           .validation_examples = {r == 2 ? 0u : 4u, 0, r == 2 ? 0u : 12u},
           .validation_loss = {loss + 3, nan, r == 4 ? 4 : loss - 1}});
    }
    federated_.model_rounds = {3, 4, 2};
  }
};

TEST_F(ValidatedReportTest, LossesOfTheTriedModelsAndTheChosenOnesAreShown) {
  Write({});
  EXPECT_FALSE(report_["model"].contains("round"));
  EXPECT_EQ(report_["model"]["rounds_planned"], 10);
  EXPECT_EQ(report_["rounds"][0]["validation_examples"], 16);
  EXPECT_EQ(report_["rounds"][0]["validation_loss"], 1);
  EXPECT_EQ(report_["rounds"][1]["validation_loss"], nullptr);
  // The mean over all tracks, by their validation examples.
  EXPECT_EQ(arm_["federated"]["validation_losses"][0], 1);
  EXPECT_EQ(arm_["federated"]["validation_losses"][1], nullptr);
  EXPECT_EQ(arm_["federated"]["round_losses"], json({2, 2, 2, 2}));
  const json& tracks = arm_["federated"]["tracks"];
  EXPECT_EQ(tracks["fold-1"]["model_round"], 3);
  EXPECT_EQ(tracks["fold-2"]["model_round"], 4);
  EXPECT_EQ(tracks["final"]["model_round"], 2);
  EXPECT_EQ(tracks["fold-1"]["validation_losses"],
            json({4, nullptr, 1.0 / 3 + 3, 3.25}));
  EXPECT_EQ(tracks["fold-2"]["validation_losses"],
            json({nullptr, nullptr, nullptr, nullptr}));
  EXPECT_THAT(html_, HasSubstr("Training ended after 4 of 10 rounds"));
  EXPECT_THAT(html_, HasSubstr("<td>whole-fold-1</td><td>3</td><td>3.2500"));
  EXPECT_THAT(html_, HasSubstr("<td>whole-fold-2</td><td>4</td><td>not tried"));
  EXPECT_THAT(html_, HasSubstr("<td>whole-final</td><td>2</td><td>-0.6667"));
  // Three quarters of the way from 58 to 446.
  EXPECT_THAT(html_, HasSubstr("<circle cx='349.0'"));
  for (const std::string& page : {text_, html_}) {
    EXPECT_THAT(page, Not(HasSubstr("nan")));
  }
}

// Studies until protocol 6 had one loss of each arm, and one choice.
TEST_F(ValidatedReportTest, RoundsWithPooledLossesShowThemForEachTrack) {
  study_.set_protocol_version(6);
  for (RoundSummary& round : federated_.rounds) {
    round.validation_loss = {round.MeanValidationLoss()};
  }
  federated_.model_rounds = {2, 2, 2};
  Write({});
  EXPECT_EQ(report_["rounds"][0]["validation_loss"], 1);
  const json& arm = arm_["federated"];
  EXPECT_EQ(arm["tracks"]["fold-1"]["validation_losses"],
            arm["validation_losses"]);
  EXPECT_EQ(arm["tracks"]["final"]["model_round"], 2);
}

TEST_F(ReportTest, CardHasTheFiguresOfTheReportAndTheFiles) {
  study_.mutable_model()->set_batch_norm(v1::Model::BATCH_NORM_LOCAL);
  federated_ = Result({{SiteId("a"), 9}, {SiteId("b"), 9}});
  federated_.model_rounds = {1, 1, 1};
  federated_.model_files = {{"model/whole-final.pth", "abc", 1}};
  federated_.census[SiteId("b")].Clear();  // not published
  Write({});
  const std::string card = ModelCard(federated_, text_).value();
  const json& pooled = arm_["federated"]["pooled"];
  const json& ci = pooled["accuracy_ci95"];
  for (const std::string& text :
       {std::string("not for diagnosis"), std::string("TO BE COMPLETED"),
        std::string("FedBN"), std::string("logits in this order: sick, well"),
        std::string("`(x - 0.5) / 0.25`"), std::string("1 of 10 planned"),
        absl::StrCat("| accuracy | 0.9 [", ci[0].dump(), ", ", ci[1].dump(),
                     "] |"),
        absl::StrCat("| sick | 40 | ",
                     pooled["per_class"]["sick"]["auc"].dump(), " ["),
        std::string("| cohort | whole | 40 | 40 |\n| a | whole | 20 | 20 |"),
        std::string("| `model/whole-final.pth` | 1 | `abc` |")}) {
    EXPECT_THAT(card, HasSubstr(text));
  }
  EXPECT_THAT(card, Not(HasSubstr("| b | whole")));
  EXPECT_THAT(card, HasSubstr("single figures are not known"));
  EXPECT_EQ(ModelCard(federated_, text_).value(), card);
  EXPECT_EQ(ModelCard(federated_, "{}").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(SecureReportTest, SumsAreOfAllSitesAndTheRestOfThosePublished) {
  Write({});
  EXPECT_EQ(report_["secure_aggregation"], true);
  EXPECT_EQ(report_["cohort"]["sites"], json({"a", "b", "c"}));
  EXPECT_EQ(report_["cohort"]["rows"], 150);
  EXPECT_EQ(report_["cohort"]["arms"]["whole"]["cases"]["well"], 60);
  ASSERT_EQ(report_["census"].size(), 1u);
  EXPECT_EQ(report_["census"]["c"]["rows"], 50);
  const json& federated = arm_["federated"];
  EXPECT_EQ(federated["pooled"]["n"], 120);
  EXPECT_EQ(federated["pooled"]["accuracy"], 0.8);
  EXPECT_EQ(federated["tracks"]["fold-1"]["n"], 60);
  ASSERT_EQ(federated["sites"].size(), 1u);
  EXPECT_EQ(federated["sites"]["c"]["accuracy"], 0.7);
}

TEST_F(SecureReportTest, LostRoundHasNoSitesAndNoLosses) {
  Write({});
  EXPECT_EQ(report_["rounds"][0]["sites"], json({"a", "b", "c"}));
  EXPECT_EQ(report_["rounds"][1]["sites"], json::array());
  EXPECT_EQ(arm_["federated"]["round_losses"], json({1.25, nullptr}));
  EXPECT_THAT(html_, HasSubstr("stayed as they were: 2."));
  for (const std::string& page : {text_, html_}) {
    EXPECT_THAT(page, Not(HasSubstr("nan")));
  }
}

}  // namespace
}  // namespace hilum
