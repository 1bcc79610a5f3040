// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/html_figures.h"

#include <gmock/gmock.h>

#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using testing::HasSubstr;
using testing::Not;

using HtmlFiguresTest = ReportTest;

TEST_F(HtmlFiguresTest, EachPartHasItsChartAndItsTable) {
  Write({});
  for (const char* part : {"AUC, pooled and by fold", "Precision and recall",
                           "Thresholds", "Calibration", "Decision curves"}) {
    EXPECT_THAT(html_, HasSubstr(absl::StrCat("<h2>", part)));
  }
  for (const char* chart : {"Precision and recall, Whole", "Reliability, Whole",
                            "Decision curve, sick", "Decision curve, well"}) {
    EXPECT_THAT(html_, HasSubstr(absl::StrCat("<title>", chart)));
  }
  EXPECT_THAT(html_, HasSubstr("pooled, primary [95 %]"));
  EXPECT_THAT(html_, HasSubstr("<td>sick</td><td>40 / 40</td><td>0.860 ["));
  EXPECT_THAT(html_, HasSubstr("<td>Youden, from the other folds</td>"
                               "<td>0.500 to 0.500</td><td>90.0 % ["));
  for (const char* word : {"nan", "inf,", "-inf"}) {
    EXPECT_THAT(html_, Not(HasSubstr(word)));
  }
}

// The second of five steps of the axis is 0: a line there is nobody treated.
TEST_F(HtmlFiguresTest, DecisionCurveBeginsBelowZero) {
  Write({});
  // The best net benefit is nearly one half: steps of 0.13.
  EXPECT_THAT(html_, HasSubstr("text-anchor='end'>-0.13</text>"));
  EXPECT_THAT(html_, HasSubstr("text-anchor='end'>0.52</text>"));
}

TEST_F(HtmlFiguresTest, ClassWithFewCasesIsNamedWithoutFigures) {
  for (v1::TrackEvaluation& track :
       *federated_.evaluation_totals.mutable_tracks()) {
    auto& positives = *track.mutable_classes(0)->mutable_positives();
    for (uint32_t& at : positives) at = 0;
    positives[12] = 4;
    track.set_confusion(0, 4);
    track.set_confusion(1, 0);
  }
  Write({});
  EXPECT_THAT(html_, HasSubstr("sick: not shown (fewer than ten)"));
  EXPECT_THAT(html_, HasSubstr("<td>sick</td><td>8 / 40</td>"
                               "<td>not shown (fewer than ten)</td>"));
}

TEST_F(HtmlFiguresTest, PrimaryAucStandsBelowTheResult) {
  Write({});
  EXPECT_THAT(html_, HasSubstr("before the run: pooled. Macro: Whole "
                               "radiograph 0.900.</p>"));
  study_.mutable_evaluation()->set_primary(v1::Evaluation::PRIMARY_FOLD_MEAN);
  federated_ = Result({{SiteId("a"), 9}, {SiteId("b"), 9}});
  Write({});
  EXPECT_THAT(html_, HasSubstr("before the run: mean of folds. Macro: Whole "
                               "radiograph 0.900.</p>"));
}

TEST(HtmlFiguresTextTest, IntervalStandsBehindItsValue) {
  EXPECT_EQ(FigureText(0.5, Interval{0.25, 0.75}), "0.500 [0.250, 0.750]");
  EXPECT_EQ(FigureText(0.5, std::nullopt), "0.500");
  EXPECT_EQ(FigureText(std::nullopt, std::nullopt), "–");
  EXPECT_EQ(PercentText(0.5, Interval{0.25, 0.75}), "50.0 % [25.0, 75.0]");
}

}  // namespace
}  // namespace hilum
