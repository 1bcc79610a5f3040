// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/precision_recall.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/common/metrics/drawn_scores.h"

namespace hilum {
namespace {

// By definition: for each positive, the precision among the cases that score at
// least as much.
double ByCases(const std::vector<double>& positives,
               const std::vector<double>& negatives) {
  double sum = 0;
  for (double score : positives) {
    double p = 0, n = 0;
    for (double other : positives) p += other >= score;
    for (double other : negatives) n += other >= score;
    sum += p / (p + n);
  }
  return sum / static_cast<double>(positives.size());
}

TEST(AveragePrecisionTest, OfBinsIsThatOfCasesThatTieWithinABin) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const DrawnScores drawn = DrawScores(seed, 20, 50, 1, 64);
    std::vector<double> positives, negatives;
    for (const DrawnCase& one : drawn.cases) {
      (one.positive ? positives : negatives)
          .push_back(static_cast<double>(one.bin));
    }
    EXPECT_NEAR(ComputeAveragePrecision(drawn.view())->value,
                ByCases(positives, negatives), 1e-12);
  }
}

TEST(AveragePrecisionTest, CertificateHoldsTheUnbinnedScoresWithTiesOrWithout) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Rng rng(seed, "certificate");
    DrawnScores drawn(8);
    std::vector<double> positives, negatives;
    for (int i = 0; i < 60; ++i) {
      const bool positive = i % 4 == 0;
      double score = 3 * rng.Normal() + (positive ? 3 : 0);
      if (seed % 2 == 0) score = std::round(score);  // ties
      drawn.Add(positive, score);
      (positive ? positives : negatives).push_back(score);
    }
    const AveragePrecision binned = *ComputeAveragePrecision(drawn.view());
    const double exact = ByCases(positives, negatives);
    EXPECT_LE(binned.lowest, exact + 1e-12);
    EXPECT_GE(binned.highest, exact - 1e-12);
    EXPECT_LE(binned.lowest, binned.value);
    EXPECT_GE(binned.highest, binned.value);
  }
}

TEST(AveragePrecisionTest, CertificateIsTightWhereEachBinHasOneScore) {
  const auto exact =
      ComputeAveragePrecision({{0, 0, 1, 0, 1}, {1, 1, 0, 1, 0}});
  EXPECT_NEAR(exact->value, (1 + 2.0 / 3) / 2, 1e-12);
  EXPECT_NEAR(exact->lowest, exact->value, 1e-12);
  EXPECT_NEAR(exact->highest, exact->value, 1e-12);
}

TEST(AveragePrecisionTest, PathologicalScores) {
  // One class is missing.
  EXPECT_FALSE(ComputeAveragePrecision({{0, 0}, {3, 1}}).has_value());
  EXPECT_FALSE(ComputeAveragePrecision({{0, 4}, {0, 0}}).has_value());
  EXPECT_FALSE(ComputeAveragePrecision({{0, 1}, {0, 0}}).has_value());
  // All scores are equal: the prevalence.
  const auto constant = ComputeAveragePrecision({{0, 4}, {0, 12}});
  EXPECT_DOUBLE_EQ(constant->value, 0.25);
  EXPECT_DOUBLE_EQ(constant->prevalence, 0.25);
  EXPECT_LT(constant->lowest, 0.25);
  EXPECT_EQ(constant->highest, 1);
  // Saturated in perfect order.
  const auto perfect = ComputeAveragePrecision({{0, 4}, {12, 0}});
  EXPECT_EQ(perfect->value, 1);
  EXPECT_EQ(perfect->lowest, 1);
  EXPECT_FALSE(perfect->interval95.has_value());
}

}  // namespace
}  // namespace hilum
