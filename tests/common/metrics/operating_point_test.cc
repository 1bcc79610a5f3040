// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/operating_point.h"

#include <gtest/gtest.h>

#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

TEST(OperatingPointTest, CountsOfATableByHand) {
  const std::vector<uint64_t> p = {1, 2, 3}, n = {4, 2, 1};
  const BinnedScores scores{p, n};
  const OperatingCounts counts = CountAt(scores, 1);
  EXPECT_EQ(counts.true_positives, 5u);
  EXPECT_EQ(counts.false_negatives, 1u);
  EXPECT_EQ(counts.true_negatives, 4u);
  EXPECT_EQ(counts.false_positives, 3u);
  EXPECT_DOUBLE_EQ(*counts.Sensitivity(), 5.0 / 6);
  EXPECT_DOUBLE_EQ(*counts.Specificity(), 4.0 / 7);
  EXPECT_DOUBLE_EQ(*counts.Youden(), 5.0 / 6 + 4.0 / 7 - 1);
  EXPECT_LT(counts.YoudenInterval95()->low, *counts.Youden());
  EXPECT_EQ(CountAt(scores, 3).true_positives, 0u);
  EXPECT_EQ(CountAt(scores, 0).false_negatives, 0u);
}

// Tries every threshold.
TEST(OperatingPointTest, NoThresholdIsBetter) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    const DrawnScores drawn = DrawScores(seed, 23, 31, 1.2, 64);
    const OperatingCounts at_specificity =
        CountAt(drawn.view(), *ThresholdAtSpecificity(drawn.view(), 0.9));
    const OperatingCounts at_sensitivity =
        CountAt(drawn.view(), *ThresholdAtSensitivity(drawn.view(), 0.9));
    const OperatingCounts youden =
        CountAt(drawn.view(), *YoudenThreshold(drawn.view()));
    EXPECT_GE(*at_specificity.Specificity(), 0.9);
    EXPECT_GE(*at_sensitivity.Sensitivity(), 0.9);
    for (size_t t = 0; t <= 64; ++t) {
      const OperatingCounts other = CountAt(drawn.view(), t);
      EXPECT_LE(*other.Youden(), *youden.Youden() + 1e-12);
      if (*other.Specificity() >= 0.9) {
        EXPECT_LE(*other.Sensitivity(), *at_specificity.Sensitivity());
      }
      if (*other.Sensitivity() >= 0.9) {
        EXPECT_LE(*other.Specificity(), *at_sensitivity.Specificity());
      }
    }
  }
}

TEST(OperatingPointTest, OfEqualOnesTheOtherRateDecides) {
  // From bin 1 on specificity is 1; bins 1 and 2 differ in sensitivity.
  EXPECT_EQ(*CountAt({{0, 2, 2}, {4, 0, 0}},
                     *ThresholdAtSensitivity({{0, 2, 2}, {4, 0, 0}}, 0.5))
                 .Sensitivity(),
            1);
  // Sensitivity is 1 from bin 2 on; bins 0 and 1 have more false positives.
  EXPECT_EQ(*CountAt({{0, 0, 4}, {2, 2, 0}},
                     *ThresholdAtSpecificity({{0, 0, 4}, {2, 2, 0}}, 0.5))
                 .Specificity(),
            1);
}

TEST(YoudenThresholdTest, IsInTheMiddleOfTheGap) {
  EXPECT_EQ(YoudenThreshold({{0, 0, 0, 0, 0, 5}, {5, 0, 0, 0, 0, 0}}), 3u);
  // Scores that are worse than chance: none is positive.
  EXPECT_EQ(YoudenThreshold({{0, 0, 5, 5}, {0, 0, 0, 5}}), 4u);
}

TEST(OperatingPointTest, OneClassMissingLeavesNothing) {
  EXPECT_FALSE(YoudenThreshold({{0, 0}, {1, 1}}).has_value());
  EXPECT_FALSE(ThresholdAtSpecificity({{2, 0}, {0, 0}}, 0.9).has_value());
  const OperatingCounts counts = CountAt({{0, 0}, {1, 1}}, 1);
  EXPECT_FALSE(counts.Sensitivity().has_value());
  EXPECT_FALSE(counts.SensitivityInterval95().has_value());
  EXPECT_FALSE(counts.YoudenInterval95().has_value());
  EXPECT_EQ(*counts.Specificity(), 0.5);
}

TEST(OperatingPointTest, EqualScoresAreAllPositiveOrNone) {
  const std::vector<uint64_t> p = {0, 4, 0}, n = {0, 12, 0};
  const BinnedScores constant{p, n};
  EXPECT_EQ(
      *CountAt(constant, *ThresholdAtSpecificity(constant, 0.9)).Specificity(),
      1);
  EXPECT_EQ(
      *CountAt(constant, *ThresholdAtSensitivity(constant, 0.9)).Sensitivity(),
      1);
  EXPECT_EQ(*CountAt(constant, *YoudenThreshold(constant)).Youden(), 0);
}

}  // namespace
}  // namespace hilum
