// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/net_benefit.h"

#include <gmock/gmock.h>

#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

TEST(DecisionCurveTest, IsWhatTheCasesHaveAtEachThreshold) {
  const DrawnScores drawn = DrawScores(5, 60, 140, 1.5, 4096);
  const std::vector<NetBenefit> curve = DecisionCurve(drawn.view());
  ASSERT_EQ(curve.size(), 99u);
  for (size_t i = 0; i < curve.size(); ++i) {
    const double p = curve[i].threshold;
    EXPECT_NEAR(p, (static_cast<double>(i) + 1) / 100, 0.001);
    double hits = 0, wrong = 0, squares = 0;
    for (const DrawnCase& one : drawn.cases) {
      if (drawn.Probability(one) < p) continue;
      (one.positive ? hits : wrong) += 1;
    }
    const double odds = p / (1 - p);
    const double value = hits / 200 - wrong / 200 * odds;
    EXPECT_NEAR(curve[i].model, value, 1e-12);
    EXPECT_NEAR(curve[i].treat_all, 0.3 - 0.7 * odds, 1e-9);
    // The variance of a mean of 1, -odds and 0.
    squares = hits + wrong * odds * odds;
    EXPECT_NEAR(curve[i].interval95.high - curve[i].model,
                kZ95 * std::sqrt((squares / 200 - value * value) / 200), 1e-9);
  }
}

TEST(DecisionCurveTest, FewBinsHaveFewThresholds) {
  const DrawnScores drawn = DrawScores(5, 60, 140, 1.5, 16);
  const std::vector<NetBenefit> curve = DecisionCurve(drawn.view());
  ASSERT_EQ(curve.size(), 5u);  // log-odds of -4, -2, 0, 2, 4
  EXPECT_EQ(curve[2].threshold, 0.5);
}

TEST(DecisionCurveTest, OneClassMissingLeavesNothing) {
  EXPECT_THAT(DecisionCurve({{0, 0}, {1, 1}}), testing::IsEmpty());
  EXPECT_THAT(DecisionCurve({{0, 2}, {0, 0}}), testing::IsEmpty());
}

// Log-odds of +-16: each threshold divides all.
TEST(DecisionCurveTest, PerfectSaturatedScoresHaveThePrevalence) {
  DrawnScores drawn(64);
  for (int i = 0; i < 20; ++i) drawn.Add(i < 5, i < 5 ? 99 : -99);
  for (const NetBenefit& point : DecisionCurve(drawn.view())) {
    EXPECT_DOUBLE_EQ(point.model, 0.25);
  }
}

}  // namespace
}  // namespace hilum
