// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/class_figures.h"

#include <cmath>

#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

// In each fold, of 20 cases of each class, 18 have a score above the others'
// (written_report.h): bins 3 and 12 of 16.
class ClassFiguresTest : public ReportTest {
 protected:
  ClassFigures Figures() const {
    const ArmMetrics arm = ComputeArmMetrics(federated_)[0];
    return ComputeClassFigures(arm.pooled, arm.folds, 0);
  }

  // Leaves this many positives in each fold, at this bin.
  void LeavePositives(uint32_t count, int bin) {
    for (v1::TrackEvaluation& track :
         *federated_.evaluation_totals.mutable_tracks()) {
      auto& positives = *track.mutable_classes(0)->mutable_positives();
      for (uint32_t& at : positives) at = 0;
      positives[bin] = count;
      track.set_confusion(0, count);
      track.set_confusion(1, 0);
    }
  }
};

TEST_F(ClassFiguresTest, AreThoseOfTheHistograms) {
  const ClassFigures figures = Figures();
  EXPECT_EQ(figures.num_positives, 40u);
  EXPECT_EQ(figures.num_negatives, 40u);
  EXPECT_NEAR(figures.fold_mean->auc, 0.9, 1e-12);
  EXPECT_EQ(figures.fold_mean->folds, 2);
  EXPECT_NEAR(figures.average_precision->value, 0.9 * 0.9 + 0.1 * 0.5, 1e-12);
  ASSERT_EQ(figures.fixed_points.size(), 4u);
  EXPECT_EQ(figures.fixed_points[0].Name(), "specificity_0.9");
  EXPECT_EQ(figures.fixed_points[3].Name(), "sensitivity_0.95");
  EXPECT_EQ(figures.fixed_points[0].threshold, 12u);
  EXPECT_EQ(*figures.fixed_points[0].counts.Sensitivity(), 0.9);
  // A specificity of 0.95 is reached by calling nobody positive alone.
  EXPECT_EQ(*figures.fixed_points[1].counts.Sensitivity(), 0);
  // Log-odds of 9 and -9: as good as 1 and 0.
  EXPECT_NEAR(figures.brier->value, 0.1, 1e-3);
  EXPECT_LT(figures.line.slope->value, 0.5);  // far too sure
  EXPECT_NEAR(figures.line.slope->value, std::log(9) / 9, 1e-6);
  EXPECT_EQ(figures.reliability.size(), 2u);
  EXPECT_EQ(figures.curve.size(), 2u);
}

// From the other fold, in the middle between bins 3 and 12.
TEST_F(ClassFiguresTest, YoudensThresholdComesFromTheOtherFold) {
  const YoudenOverFolds youden = *Figures().youden;
  ASSERT_EQ(youden.thresholds.size(), 2u);
  EXPECT_EQ(youden.thresholds[0], 8u);
  EXPECT_EQ(*youden.counts.Sensitivity(), 0.9);
  EXPECT_NEAR(*youden.counts.Youden(), 0.8, 1e-12);
}

TEST_F(ClassFiguresTest, FewerThanTenPositivesAreSuppressed) {
  LeavePositives(4, 12);  // eight over the folds
  const ClassFigures figures = Figures();
  EXPECT_EQ(figures.num_positives, 8u);
  EXPECT_TRUE(figures.fold_mean.has_value());  // as the AUCs of the folds
  EXPECT_FALSE(figures.average_precision.has_value());
  EXPECT_FALSE(figures.partial_specificity.has_value());
  EXPECT_FALSE(figures.youden.has_value());
  EXPECT_FALSE(figures.brier.has_value());
  EXPECT_FALSE(figures.line.intercept.has_value());
  EXPECT_TRUE(figures.fixed_points.empty());
  EXPECT_TRUE(figures.reliability.empty());
  EXPECT_TRUE(figures.decision.empty());
  EXPECT_TRUE(figures.curve.empty());
  LeavePositives(5, 12);
  EXPECT_TRUE(Figures().average_precision.has_value());
}

TEST_F(ClassFiguresTest, WithoutFoldsThereIsNothingOfThem) {
  const ArmMetrics arm = ComputeArmMetrics(federated_)[0];
  const ClassFigures figures = ComputeClassFigures(arm.sites.at("a"), {}, 0);
  EXPECT_EQ(figures.num_positives, 20u);
  EXPECT_FALSE(figures.fold_mean.has_value());
  EXPECT_FALSE(figures.youden.has_value());
  EXPECT_TRUE(figures.average_precision.has_value());
}

// One fold alone would pass as the mean.
TEST_F(ClassFiguresTest, UntrainedFoldLeavesNoMeanOverFolds) {
  TrainOnly({0, 40, 80});
  const ClassFigures figures = Figures();
  EXPECT_EQ(figures.num_positives, 0u);
  EXPECT_FALSE(figures.fold_mean.has_value());
  EXPECT_FALSE(figures.brier.has_value());
}

TEST_F(ClassFiguresTest, SaturatedScoresInPerfectOrderHaveWhatExists) {
  LeavePositives(20, kBins - 1);
  for (v1::TrackEvaluation& track :
       *federated_.evaluation_totals.mutable_tracks()) {
    auto& negatives = *track.mutable_classes(0)->mutable_negatives();
    for (uint32_t& at : negatives) at = 0;
    negatives[0] = 20;
  }
  const ClassFigures figures = Figures();
  EXPECT_EQ(figures.fold_mean->auc, 1);
  EXPECT_LT(figures.fold_mean->interval95->low, 1);
  EXPECT_EQ(figures.average_precision->value, 1);
  EXPECT_FALSE(figures.line.slope.has_value());
  EXPECT_EQ(*figures.youden->counts.Youden(), 1);
}

}  // namespace
}  // namespace hilum
