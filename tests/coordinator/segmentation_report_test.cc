// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/report/model_card.h"
#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// Returns the overlap of so many patients with two cases each, half of them
// with this Dice and half with a tenth less; one case is implausible.
v1::Overlap OverlapOf(uint64_t patients, double dice) {
  v1::Overlap overlap;
  overlap.set_cases(2 * patients);
  overlap.set_patients(patients);
  overlap.set_implausible(1);
  const double half = static_cast<double>(patients) / 2, low = dice - 0.1;
  overlap.set_dice_sum(half * (dice + low));
  overlap.set_dice_square_sum(half * (dice * dice + low * low));
  overlap.set_iou_sum(half * 0.5);
  overlap.set_iou_square_sum(half * 0.25);
  return overlap;
}

v1::SubmitEvaluationRequest Overlaps(double dice) {
  v1::SubmitEvaluationRequest evaluation;
  for (uint32_t t = 0; t < 2; ++t) {
    v1::TrackEvaluation& track = *evaluation.add_tracks();
    track.set_track(t);
    track.set_loss_sum(4);
    *track.add_overlaps() = OverlapOf(4, dice);
    *track.add_overlaps() = OverlapOf(6, dice);
    *track.add_overlaps() = OverlapOf(10, dice);
    track.mutable_overlaps(2)->set_implausible(2);
  }
  return evaluation;
}

class SegmentationReportTest : public ReportTest {
 protected:
  SegmentationReportTest() {
    study_.Clear();
    study_.set_name("lungs");
    study_.set_task(v1::STUDY_TASK_SEGMENTATION);
    for (const char* label : {"sick", "well"}) study_.add_classes(label);
    for (const char* site : {"a", "b"}) study_.add_sites(site);
    study_.mutable_cross_validation()->set_folds(2);
    FillStudyDefaults(study_);
    EXPECT_TRUE(ValidateStudy(study_).ok()) << ValidateStudy(study_);
    federated_.study = study_;
    federated_.evaluations[a_] = Overlaps(0.9);
    federated_.evaluations[b_] = Overlaps(0.7);
    federated_.census[a_].set_rejected_masks(0, 5);
    federated_.census_totals = SumCensus(study_, federated_.census);
    federated_.evaluation_totals =
        SumEvaluations(study_, federated_.evaluations);
  }

  const SiteId a_{"a"}, b_{"b"};
};

TEST_F(SegmentationReportTest, OverlapsStandInThePlaceOfScores) {
  Write({});
  EXPECT_EQ(report_["task"], "segmentation");
  const json& federated = arm_["federated"];
  const json& pooled = federated["pooled"];
  EXPECT_EQ(pooled["n"], 80);
  EXPECT_EQ(pooled["mean_loss"], 0.2);
  const json& all = pooled["overlap"]["all"];
  EXPECT_EQ(all["n_patients"], 40);
  EXPECT_EQ(all["n_cases"], 80);
  EXPECT_EQ(all["implausible"], 0.1);
  EXPECT_NEAR(all["dice"].get<double>(), 0.75, 1e-12);
  EXPECT_NEAR(all["iou"].get<double>(), 0.25, 1e-12);
  // 20 patients at 0.9 and 0.7 or 0.8 and 0.6: deviations of 0.15 and 0.05.
  const double half =
      1.959963984540054 * std::sqrt((20 * 0.0225 + 20 * 0.0025) / 39 / 40);
  EXPECT_NEAR(all["dice_ci95"][0].get<double>(), 0.75 - half, 1e-9);
  EXPECT_NEAR(all["dice_ci95"][1].get<double>(), 0.75 + half, 1e-9);
  EXPECT_EQ(all["iou_ci95"].size(), 2u);
  EXPECT_EQ(pooled["overlap"]["per_class"]["sick"]["n_patients"], 16);
  const json& site = federated["sites"]["b"]["overlap"]["all"];
  EXPECT_NEAR(site["dice"].get<double>(), 0.65, 1e-12);
  const json& fold = federated["tracks"]["fold-2"];
  EXPECT_EQ(fold["overlap"]["all"]["n_cases"], 40);
  EXPECT_EQ(fold["model_sha256"], "a2");
  EXPECT_EQ(federated["round_losses"], json({1.25}));
  for (const char* none : {"accuracy", "confusion", "macro", "localization"}) {
    EXPECT_FALSE(pooled.contains(none)) << none;
  }
  EXPECT_THAT(report_["conventions"]["ci95"].get<std::string>(),
              HasSubstr("normal over patients"));
  EXPECT_THAT(text_, Not(HasSubstr("DeLong")));
}

TEST_F(SegmentationReportTest, ThePageHasDiceAndIouAndNoRoc) {
  Write({});
  EXPECT_THAT(html_, HasSubstr("<td><b>all</b></td><td>40</td><td>80</td>"
                               "<td>0.750 [0.715, 0.785]</td>"
                               "<td>0.250 ["));
  EXPECT_THAT(html_, HasSubstr("<td>10.0 %</td>"));
  EXPECT_THAT(html_, HasSubstr("<td>b</td><td>20</td><td>40</td>"
                               "<td>0.650 ["));
  EXPECT_THAT(html_, HasSubstr("<td>fold 2</td><td>20</td>"));
  EXPECT_THAT(html_, HasSubstr("Training loss, Whole radiograph"));
  EXPECT_THAT(html_, HasSubstr("training loss (cross-entropy and soft Dice)"));
  EXPECT_THAT(html_, HasSubstr("normal over patients"));
  EXPECT_THAT(html_, HasSubstr("5 of 45 <span class='soft'>11.1 %"));
  EXPECT_THAT(html_, HasSubstr("How the images look"));
  for (const char* none : {"ROC", "AUC", "Confusion", "Where the models look",
                           "sensitivity", "nan"}) {
    EXPECT_THAT(html_, Not(HasSubstr(none)));
  }
}

TEST_F(SegmentationReportTest, ClassWithoutPatientsHasNoFigures) {
  for (auto& [site, evaluation] : federated_.evaluations) {
    for (v1::TrackEvaluation& track : *evaluation.mutable_tracks()) {
      track.mutable_overlaps(0)->Clear();
    }
  }
  federated_.evaluation_totals = SumEvaluations(study_, federated_.evaluations);
  Write({});
  const json& sick =
      arm_["federated"]["pooled"]["overlap"]["per_class"]["sick"];
  EXPECT_EQ(sick["n_cases"], 0);
  for (const char* none : {"dice", "dice_ci95", "iou", "implausible"}) {
    EXPECT_TRUE(sick[none].is_null()) << none;
  }
  EXPECT_THAT(html_, HasSubstr("<td>sick</td><td>0</td><td>0</td><td>–</td>"
                               "<td>–</td><td>–</td>"));
}

TEST_F(SegmentationReportTest, CardSaysThatTheModelsFindLungsAndHowWell) {
  federated_.model_round = 1;
  federated_.model_files = {{"model/whole-final.pth", "abc"}};
  Write({});
  const std::string card = ModelCard(federated_, text_).value();
  const json& all = arm_["federated"]["pooled"]["overlap"]["all"];
  for (const std::string& text :
       {std::string("They find the lungs on a frontal chest radiograph"),
        std::string("not for diagnosis"), std::string("`[n, 1, 128, 128]`"),
        std::string("hilum-trainer segment run"),
        std::string("binary cross-entropy and soft Dice"),
        absl::StrCat("| all | 40 | 80 | ", all["dice"].dump(), " [",
                     all["dice_ci95"][0].dump(), ", "),
        std::string("| `model/whole-final.pth` | 1 | `abc` |")}) {
    EXPECT_THAT(card, HasSubstr(text));
  }
  for (const char* none : {"AUC", "sensitivity", "softmax", "torchvision",
                           "class weights", "ogits in this order"}) {
    EXPECT_THAT(card, Not(HasSubstr(none)));
  }
}

}  // namespace
}  // namespace hilum
