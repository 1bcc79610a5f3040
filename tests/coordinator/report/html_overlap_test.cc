// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_overlap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/coordinator/segmentation_report.h"

namespace hilum {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

using HtmlOverlapTest = SegmentationReportTest;

TEST_F(HtmlOverlapTest, ThePageHasDiceAndIouAndNoRoc) {
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

TEST_F(HtmlOverlapTest, ClassWithoutPatientsHasNoFigures) {
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

}  // namespace
}  // namespace hilum
