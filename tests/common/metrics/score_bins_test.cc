// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/score_bins.h"

#include <gmock/gmock.h>

#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

TEST(ScoreBinsTest, BinsAreUniformInLogOddsFromMinusToPlusSixteen) {
  EXPECT_EQ(BinEdge(0, 64), -16);
  EXPECT_EQ(BinEdge(32, 64), 0);
  EXPECT_EQ(BinEdge(64, 64), 16);
  EXPECT_EQ(BinCentre(32, 64), 0.25);
  EXPECT_EQ(Logistic(0), 0.5);
  EXPECT_EQ(Logistic(-1000), 0);
  EXPECT_EQ(Logistic(1000), 1);
}

TEST(CoarseThresholdsTest, NoPointDiffersFromTheNextByFewCases) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const DrawnScores drawn = DrawScores(seed, 47, 158, 1.5, 4096);
    const std::vector<size_t> thresholds = CoarseThresholds(drawn.view(), 10);
    ASSERT_GT(thresholds.size(), 10u);
    EXPECT_EQ(thresholds.back(), 0u);
    size_t above = 4096;
    for (size_t threshold : thresholds) {
      ASSERT_LT(threshold, above);
      uint64_t cases = 0;
      for (size_t b = threshold; b < above; ++b) {
        cases += drawn.positives[b] + drawn.negatives[b];
      }
      EXPECT_GE(cases, 10u);
      above = threshold;
    }
  }
}

TEST(CoarseThresholdsTest, FewCasesHaveNoCurve) {
  EXPECT_THAT(CoarseThresholds({{4, 0}, {0, 5}}, 10), testing::IsEmpty());
  EXPECT_THAT(CoarseThresholds({{5, 0}, {0, 5}}, 10), testing::ElementsAre(0));
  EXPECT_THAT(CoarseThresholds({{0, 0}, {0, 0}}, 10), testing::IsEmpty());
}

}  // namespace
}  // namespace hilum
