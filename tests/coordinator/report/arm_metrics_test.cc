// SPDX-License-Identifier: Apache-2.0
#include "coordinator/report/arm_metrics.h"

#include "tests/coordinator/written_report.h"

namespace hilum {
namespace {

using ArmMetricsTest = ReportTest;

TEST_F(ArmMetricsTest, EveryHeldOutCaseIsPooledOnce) {
  const std::vector<ArmMetrics> arms = ComputeArmMetrics(federated_);
  ASSERT_EQ(arms.size(), 1u);
  EXPECT_EQ(arms[0].pooled.Cases(), 80u);
  ASSERT_EQ(arms[0].folds.size(), 2u);
  EXPECT_EQ(arms[0].folds[0].Cases(), 40u);
  EXPECT_EQ(arms[0].sites.at("a").Cases(), 40u);
}

TEST_F(ArmMetricsTest, UntrainedFoldHasNoScoresAndNothingIsPooled) {
  TrainOnly({0, 40, 80});
  const std::vector<ArmMetrics> arms = ComputeArmMetrics(federated_);
  EXPECT_EQ(arms[0].folds[0].Cases(), 0u);
  EXPECT_EQ(arms[0].folds[1].Cases(), 40u);
  EXPECT_EQ(arms[0].pooled.Cases(), 0u);
  EXPECT_EQ(arms[0].sites.at("a").Cases(), 0u);
  EXPECT_FALSE(arms[0].pooled.MacroAuc().has_value());
}

TEST_F(ArmMetricsTest, WeightedAucIsOfTheClassesThatHaveOne) {
  const PooledScores pooled = ComputeArmMetrics(federated_)[0].pooled;
  EXPECT_NEAR(*pooled.PrevalenceWeightedAuc(), 0.9, 1e-12);
  PooledScores uneven = pooled;
  uneven.confusion.Add(0, 0, 40);  // twice as many sick
  uneven.positives[0].assign(uneven.positives[0].size(), 0);
  uneven.positives[0][12] = 80;
  const double sick = uneven.Auc(0)->auc, well = uneven.Auc(1)->auc;
  EXPECT_NEAR(*uneven.PrevalenceWeightedAuc(), (2 * sick + well) / 3, 1e-12);
  uneven.positives[0][12] = 0;
  EXPECT_NEAR(*uneven.PrevalenceWeightedAuc(), well, 1e-12);
}

// The final track holds no case out, so no figure depends on it.
TEST_F(ArmMetricsTest, UntrainedFinalTrackChangesNoFigure) {
  TrainOnly({40, 40, 0});
  EXPECT_EQ(ComputeArmMetrics(federated_)[0].pooled.Cases(), 80u);
}

}  // namespace
}  // namespace hilum
