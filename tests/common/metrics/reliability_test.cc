// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/reliability.h"

#include <gmock/gmock.h>

#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

// Each case in a bin of its own: the groups are tenths of the sorted cases.
TEST(ReliabilityTest, GroupsAreTenthsOfTheSortedCases) {
  std::vector<uint64_t> p(4096), n(4096);
  std::vector<std::pair<double, int>> sorted;
  Rng rng(1, "reliability");
  for (size_t i = 0; i < 200; ++i) {
    const size_t bin = 1000 + 10 * i;
    const bool positive = rng.Uniform() < static_cast<double>(i) / 200;
    ++(positive ? p : n)[bin];
    sorted.emplace_back(Logistic(BinCentre(bin, 4096)), positive);
  }
  const auto groups = ReliabilityGroups({p, n}, 10, 10);
  ASSERT_EQ(groups.size(), 10u);
  double ece = 0;
  for (size_t g = 0; g < 10; ++g) {
    double predicted = 0, observed = 0;
    for (size_t i = 20 * g; i < 20 * g + 20; ++i) {
      predicted += sorted[i].first / 20;
      observed += sorted[i].second / 20.0;
    }
    EXPECT_EQ(groups[g].num_cases, 20u);
    EXPECT_NEAR(groups[g].predicted, predicted, 1e-12);
    EXPECT_NEAR(groups[g].observed, observed, 1e-12);
    ece += std::abs(predicted - observed) / 10;
  }
  EXPECT_NEAR(*ExpectedCalibrationError(groups), ece, 1e-12);
}

TEST(ReliabilityTest, GroupsHaveAllCasesAndNoGroupHasFew) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Rng rng(seed, "shape");
    const int positives = 1 + static_cast<int>(rng.Below(60));
    const size_t bins = size_t{16} << rng.Below(8);
    const DrawnScores drawn = DrawScores(
        seed, positives, 1 + static_cast<int>(rng.Below(60)), 2, bins);
    const auto groups = ReliabilityGroups(drawn.view(), 10, 10);
    uint64_t cases = 0;
    for (const ReliabilityGroup& group : groups) {
      EXPECT_GE(group.num_cases, 10u);
      cases += group.num_cases;
    }
    EXPECT_LE(groups.size(), 10u);
    EXPECT_EQ(cases, drawn.cases.size() < 10 ? 0 : drawn.cases.size());
  }
}

TEST(ReliabilityTest, PathologicalScores) {
  EXPECT_THAT(ReliabilityGroups({{0, 0}, {0, 0}}, 10, 10), testing::IsEmpty());
  EXPECT_THAT(ReliabilityGroups({{1, 0}, {0, 0}}, 10, 10), testing::IsEmpty());
  EXPECT_FALSE(ExpectedCalibrationError({}).has_value());
  // All scores are equal: one group.
  const auto constant = ReliabilityGroups({{0, 0, 30}, {0, 0, 10}}, 10, 10);
  ASSERT_EQ(constant.size(), 1u);
  EXPECT_EQ(constant[0].observed, 0.75);
  // One class is missing, saturated: the error is nearly 1.
  const auto wrong = ReliabilityGroups({{0, 0, 0}, {0, 0, 40}}, 10, 10);
  EXPECT_GT(*ExpectedCalibrationError(wrong), 0.99);
}

}  // namespace
}  // namespace hilum
