// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/fold_mean_auc.h"

#include <gtest/gtest.h>

#include "common/metrics/auc_interval.h"
#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

std::vector<BinnedAuc> Folds(int folds, double shift) {
  std::vector<BinnedAuc> aucs;
  for (int f = 0; f < folds; ++f) {
    DrawnScores scores(4096);
    Rng rng(static_cast<uint64_t>(f), "fold");
    for (int i = 0; i < 60; ++i) {
      scores.Add(i % 3 == 0, rng.Normal() + (i % 3 == 0 ? 1.5 : 0) + shift * f);
    }
    aucs.push_back(*ComputeBinnedAuc(scores.positives, scores.negatives));
  }
  return aucs;
}

TEST(FoldMeanAucTest, MeanAndVarianceAreThoseOfTheFolds) {
  const std::vector<BinnedAuc> folds = Folds(5, 0);
  const FoldMeanAuc mean = *MeanOverFolds(folds);
  double auc = 0, variance = 0;
  for (const BinnedAuc& fold : folds) {
    auc += fold.auc / 5;
    variance += *fold.variance / 25;
  }
  EXPECT_NEAR(mean.auc, auc, 1e-12);
  EXPECT_NEAR(*mean.variance, variance, 1e-12);
  EXPECT_EQ(mean.folds, 5);
  EXPECT_NEAR(mean.interval95->low, LogitInterval(auc, variance).low, 1e-12);
}

// The same cases on a scale of its own in each fold: the pooled AUC suffers.
TEST(FoldMeanAucTest, ScaleOfAFoldsModelDoesNotMatter) {
  EXPECT_NEAR(MeanOverFolds(Folds(5, 0))->auc, MeanOverFolds(Folds(5, 1))->auc,
              0.002);  // binning
}

TEST(FoldMeanAucTest, PerfectFoldsHaveAnInterval) {
  const BinnedAuc perfect = *ComputeBinnedAuc({0, 10}, {10, 0});
  const std::vector<BinnedAuc> folds(4, perfect);
  const FoldMeanAuc mean = *MeanOverFolds(folds);
  EXPECT_EQ(mean.auc, 1);
  EXPECT_EQ(mean.interval95->high, 1);
  EXPECT_GT(mean.interval95->low, perfect.interval95->low);
}

TEST(FoldMeanAucTest, FoldOfOnePositiveLeavesNoInterval) {
  std::vector<BinnedAuc> folds = Folds(2, 0);
  folds.push_back(*ComputeBinnedAuc({0, 1}, {10, 0}));
  const FoldMeanAuc mean = *MeanOverFolds(folds);
  EXPECT_EQ(mean.folds, 3);
  EXPECT_FALSE(mean.variance.has_value());
  EXPECT_FALSE(mean.interval95.has_value());
}

TEST(FoldMeanAucTest, WithoutFoldsThereIsNoMean) {
  EXPECT_FALSE(MeanOverFolds({}).has_value());
}

}  // namespace
}  // namespace hilum
